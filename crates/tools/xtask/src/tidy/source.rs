//! One Rust file: its syntax tree, and its tokens without tests and attributes.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::Visit;

use super::workspace::{Crate, Floor};

/// A word, a sign or a literal of the code.
pub(crate) struct Token {
    /// As written; `::` is one token.
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) is_literal: bool,
}

/// A file under `src/` of one of our crates.
pub(crate) struct Source {
    /// Relative to the root of the workspace.
    pub(crate) path: String,
    /// The crate's name.
    pub(crate) owner: String,
    pub(crate) floor: Floor,
    pub(crate) lines: usize,
    pub(crate) tree: syn::File,
    /// What is neither in a test nor in an attribute, macro calls included.
    pub(crate) tokens: Vec<Token>,
    tests: Vec<RangeInclusive<usize>>,
}

impl Source {
    pub(crate) fn parse(owner: &Crate, path: &str, text: &str) -> Result<Self> {
        let stream: TokenStream = text.parse().map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
        let tree: syn::File = syn::parse2(stream.clone()).with_context(|| path.to_owned())?;
        let mut finder = TestFinder { tests: Vec::new() };
        finder.visit_file(&tree);
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        tokens.retain(|token| !finder.tests.iter().any(|test| test.contains(&token.line)));
        Ok(Self {
            path: path.to_owned(),
            owner: owner.name.clone(),
            floor: owner.floor,
            lines: text.lines().count(),
            tree,
            tokens,
            tests: finder.tests,
        })
    }

    /// Whether a line belongs to a test.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|test| test.contains(&line))
    }

    /// The number of lines outside tests.
    pub(crate) fn lines_without_tests(&self) -> usize {
        (1..=self.lines).filter(|line| !self.is_test(*line)).count()
    }

    /// The lines where `words` follow one another.
    pub(crate) fn find<'a>(&'a self, words: &'a [&'a str]) -> impl Iterator<Item = usize> + 'a {
        let same = move |window: &[Token]| window.iter().zip(words).all(|(token, word)| token.text == *word);
        self.tokens.windows(words.len()).filter(move |window| same(window)).map(|window| window[0].line)
    }

    /// Whether one of the folders on the way to the file, or the file without its ending, is called `name`.
    pub(crate) fn is_under(&self, name: &str) -> bool {
        self.path
            .trim_end_matches(".rs")
            .split('/')
            .skip_while(|part| *part != "src")
            .any(|part| part == name)
    }

    /// The modules, as paths without ending, that this file declares for tests only.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or_default();
        let below = match file {
            "lib.rs" | "main.rs" | "mod.rs" => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        let declared = self.tree.items.iter().filter_map(|item| match item {
            syn::Item::Mod(module) if module.content.is_none() && is_test(&module.attrs) => Some(module),
            _ => None,
        });
        declared
            .map(|module| match path_attribute(&module.attrs) {
                Some(path) => format!("{folder}/{}", path.trim_end_matches(".rs")),
                None => format!("{below}/{}", module.ident),
            })
            .collect()
    }

    /// Whether the file is the module of this path, or below it.
    pub(crate) fn is_in_module(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

struct TestFinder {
    tests: Vec<RangeInclusive<usize>>,
}

impl<'a> Visit<'a> for TestFinder {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if is_test(attributes) {
            self.tests.push(item.span().start().line..=item.span().end().line);
        } else {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        if is_test(&function.attrs) {
            self.tests.push(function.span().start().line..=function.span().end().line);
        }
    }
}

/// The file that `#[path = "…"]` names.
fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(syn::MetaNameValue {
            path,
            value: syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(file), .. }),
            ..
        }) if path.is_ident("path") => Some(file.value()),
        _ => None,
    })
}

/// `#[cfg(test)]`, `#[test]` and its kin, such as `#[tokio::test]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test")
        }
        meta => meta.path().segments.last().is_some_and(|segment| segment.ident == "test"),
    })
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let mut push = |text: String, is_literal| into.push(Token { text, line, is_literal });
        match tree {
            TokenTree::Ident(word) => push(word.to_string(), false),
            TokenTree::Literal(literal) => push(literal.to_string(), true),
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                trees.next_if(|next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == '!'));
                trees.next_if(
                    |next| matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket),
                );
            }
            TokenTree::Punct(sign) if sign.as_char() == ':' && sign.spacing() == Spacing::Joint => {
                trees.next();
                push("::".to_owned(), false);
            }
            TokenTree::Punct(sign) => push(sign.to_string(), false),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), false);
                flatten(group.stream(), into);
                let line = group.span_close().start().line;
                into.push(Token { text: close.to_owned(), line, is_literal: false });
            }
        }
    }
}
