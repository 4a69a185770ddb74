use std::path::Path;

use web::code;

#[test]
fn every_code_has_a_page_that_says_what_to_do() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors");
    for code in code::ALL.iter().chain(code::DATABASE) {
        let path = pages.join(format!("{}.md", code.code));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} has no page", code.code));
        let begins = format!("# {}\n\n**Status** {}\n\n", code.code, code.status);
        assert!(text.starts_with(&begins), "{}", code.code);
    }
}

#[test]
fn no_code_stands_twice_and_each_has_an_error_status() {
    let mut names: Vec<_> = code::ALL.iter().map(|code| code.code).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(code::ALL.iter().all(|code| (400..600).contains(&code.status)));
}
