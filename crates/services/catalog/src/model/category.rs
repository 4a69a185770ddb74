//! Categories are paths: `face/foundation` lies within `face`.

use super::handle::slug;

/// The most levels of a path.
pub(crate) const MAX_LEVELS: usize = 6;

/// The most characters of a path.
pub(crate) const MAX_LEN: usize = 120;

/// The path that `text` means: each level folded, empty levels left out. `None` when nothing is left
/// or it is too deep or too long.
pub(crate) fn normalise(text: &str) -> Option<String> {
    let levels: Vec<String> = text.split('/').map(slug).filter(|level| !level.is_empty()).collect();
    let path = levels.join("/");
    ((1..=MAX_LEVELS).contains(&levels.len()) && path.chars().count() <= MAX_LEN).then_some(path)
}

/// The path and every path above it, the top one first.
pub(crate) fn with_ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain([path])
}

/// A category, how many products are in it or below it, and what is below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) path: String,
    pub(crate) products: i64,
    pub(crate) children: Vec<Category>,
}

impl Category {
    /// The last level in words: `eye-care` reads `Eye care`.
    pub(crate) fn name(&self) -> String {
        let last = self.path.rsplit('/').next().unwrap_or_default().replace('-', " ");
        let mut letters = last.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }
}

/// The tree of `counts`, in which every path comes with all paths above it.
pub(crate) fn tree(mut counts: Vec<(String, i64)>) -> Vec<Category> {
    // By level and then by name: a parent comes before its children.
    counts.sort_by(|(a, _), (b, _)| a.split('/').cmp(b.split('/')));
    let mut roots = Vec::new();
    for (path, products) in counts {
        let depth = path.matches('/').count();
        insert(&mut roots, depth, Category { path, products, children: Vec::new() });
    }
    roots
}

/// Adds a category so many levels below, under the last of each.
fn insert(siblings: &mut Vec<Category>, depth: usize, category: Category) {
    match siblings.last_mut() {
        Some(parent) if depth > 0 => insert(&mut parent.children, depth - 1, category),
        _ => siblings.push(category),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_folded() {
        assert_eq!(normalise("Face / Foundation").as_deref(), Some("face/foundation"));
        assert_eq!(normalise("/skin//Crème/").as_deref(), Some("skin/creme"));
        for bad in ["", "/", " / ", "a/b/c/d/e/f/g"] {
            assert_eq!(normalise(bad), None, "{bad}");
        }
    }

    #[test]
    fn ancestors_lead_to_the_path() {
        assert_eq!(with_ancestors("a").collect::<Vec<_>>(), ["a"]);
        assert_eq!(with_ancestors("a/b-c/d").collect::<Vec<_>>(), ["a", "a/b-c", "a/b-c/d"]);
    }

    #[test]
    fn counts_become_a_tree() {
        let counts = [("skin", 3), ("face/foundation", 2), ("face-tools", 1), ("face", 2)];
        let tree = tree(counts.map(|(path, count)| (path.to_owned(), count)).into());
        let shown: Vec<_> =
            tree.iter().map(|root| (root.name(), root.products, root.children.len())).collect();
        assert_eq!(shown, [("Face".into(), 2, 1), ("Face tools".into(), 1, 0), ("Skin".into(), 3, 0)]);
        assert_eq!(tree[0].children[0].path, "face/foundation");
    }

    proptest! {
        #[test]
        fn a_normal_path_is_normal_and_its_tree_is_a_line(text in "[a-zA-Zé /-]{0,60}") {
            if let Some(path) = normalise(&text) {
                prop_assert_eq!(normalise(&path), Some(path.clone()));
                let counts = with_ancestors(&path).map(|path| (path.to_owned(), 1)).collect();
                let mut level = tree(counts);
                while let Some(category) = level.pop() {
                    prop_assert!(level.is_empty());
                    prop_assert!(path.starts_with(&category.path));
                    level = category.children;
                }
            }
        }
    }
}
