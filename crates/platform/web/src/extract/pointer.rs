use std::fmt::Write as _;

/// Appends `segment` to a JSON pointer (RFC 6901 section 3).
pub(super) fn push(pointer: &mut String, segment: &str) {
    let _ = write!(pointer, "/{}", segment.replace('~', "~0").replace('/', "~1"));
}

/// The pointer of a path that `serde_path_to_error` tracked.
pub(super) fn of_tracked(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            // The variant of an enum is not a member of the document, and an unknown key has no name.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The pointer of a path that `serde_ignored` walked.
pub(super) fn of_ignored(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => {
            let mut pointer = of_ignored(parent);
            push(&mut pointer, &index.to_string());
            pointer
        }
        Path::Map { parent, key } => {
            let mut pointer = of_ignored(parent);
            push(&mut pointer, key);
            pointer
        }
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            of_ignored(parent)
        }
    }
}
