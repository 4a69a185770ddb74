use std::fmt;
use std::path::Path;

use include_dir::Dir;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use crate::MailError;

/// What a template made of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// Whose mails they are; every template sees it as `brand`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    /// The shop's name.
    pub name: String,
    /// The shop's address on the web.
    pub url: String,
    /// The colour of the button and of links, as in `#1a1a2e`; white text must be readable on it.
    pub colour: String,
    /// The line at the bottom: who sends this, and from where.
    pub imprint: String,
}

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: "Souk".to_owned(),
            url: "https://souk.example".to_owned(),
            colour: "#1f2937".to_owned(),
            imprint: "Souk".to_owned(),
        }
    }
}

/// The mails that a service can write. Each is three templates: `NAME/subject.txt`,
/// `NAME/body.txt` and `NAME/body.html`.
#[derive(Clone)]
pub struct Templates(Environment<'static>);

const SUBJECT: &str = "subject.txt";
const TEXT: &str = "body.txt";
const HTML: &str = "body.html";
const SHARED: [(&str, &str); 3] = [
    ("layout.html", include_str!("layout/layout.html")),
    ("layout.txt", include_str!("layout/layout.txt")),
    ("components.html", include_str!("layout/components.html")),
];
const MAX_TEMPLATE: u64 = 256 * 1024;

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// No mails yet, but the layout that they share.
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
            true => AutoEscape::Html,
            false => AutoEscape::None,
        });
        // A block tag on a line of its own leaves no empty line in the text.
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            environment.set_syntax(syntax);
        }
        for (name, source) in SHARED {
            // A test renders all three, so they are known to be well formed.
            let _ = environment.add_template(name, source);
        }
        Self(environment).brand(&Brand::default())
    }

    /// The mails in `dir`: a folder for each, as its name says.
    ///
    /// # Errors
    /// [`MailError::Template`] names the template that is missing or malformed.
    pub fn from_embedded(dir: &Dir<'static>) -> Result<Self, MailError> {
        let mut templates = Self::new();
        for folder in dir.dirs() {
            let name = folder.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let source = |file: &str| {
                let found = folder.get_file(folder.path().join(file)).and_then(|file| file.contents_utf8());
                found.ok_or_else(|| broken(format!("{name}/{file}"), "it is missing or not UTF-8"))
            };
            templates = templates.add(name, source(SUBJECT)?, source(TEXT)?, source(HTML)?)?;
        }
        Ok(templates)
    }

    /// Adds the mail `name`.
    ///
    /// # Errors
    /// [`MailError::Template`] when a template is malformed.
    pub fn add(mut self, name: &str, subject: &str, text: &str, html: &str) -> Result<Self, MailError> {
        for (file, source) in [(SUBJECT, subject), (TEXT, text), (HTML, html)] {
            self.put(format!("{name}/{file}"), source.to_owned())?;
        }
        Ok(self)
    }

    /// Whose mails they are.
    #[must_use]
    pub fn brand(mut self, brand: &Brand) -> Self {
        self.0.add_global("brand", Value::from(Serde(brand)));
        self
    }

    /// Puts the operator's own files in the place of embedded ones: `NAME/body.html` and so on, or
    /// `layout.html`, `layout.txt`, `components.html`. They are read once, now.
    ///
    /// # Errors
    /// [`MailError::Template`] for a malformed file, [`MailError::Folder`] for an unreadable one.
    pub fn with_overrides(mut self, dir: &Path) -> Result<Self, MailError> {
        let names: Vec<String> = self.0.templates().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let path = dir.join(&name);
            match std::fs::metadata(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(MailError::Folder(error)),
                Ok(file) if file.len() > MAX_TEMPLATE => {
                    return Err(broken(name, "it is larger than 256 KiB"));
                }
                Ok(_) => {}
            }
            let source = std::fs::read_to_string(&path).map_err(MailError::Folder)?;
            self.put(name, source)?;
        }
        Ok(self)
    }

    fn put(&mut self, name: String, source: String) -> Result<(), MailError> {
        self.0
            .add_template_owned(name.clone(), source)
            .map_err(|error| MailError::Template { name, source: error.into() })
    }

    /// Writes the mail `name` with the values of `context`.
    ///
    /// # Errors
    /// [`MailError::Template`] when there is no such mail or it names a value that `context` lacks.
    pub fn render(&self, name: &str, context: &impl Serialize) -> Result<Rendered, MailError> {
        let context = Value::from(Serde(context));
        let render = |file: &str| {
            let name = format!("{name}/{file}");
            self.0
                .get_template(&name)
                .and_then(|template| template.render(context.clone()))
                .map_err(|error| MailError::Template { name, source: error.into() })
        };
        let subject = render(SUBJECT)?.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Rendered { subject, text: render(TEXT)?.trim().to_owned() + "\n", html: render(HTML)? })
    }
}

fn broken(name: impl Into<String>, reason: &'static str) -> MailError {
    MailError::Template { name: name.into(), source: reason.into() }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.templates().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Welcome {
        name: &'static str,
        url: &'static str,
        code: &'static str,
    }

    const WELCOME: Welcome =
        Welcome { name: "<b>Zoë & Co</b>", url: "https://shop.example/v?a=1&t=\"x", code: "493021" };
    const BODY: &str = r#"{% extends "layout.html" %}
{% from "components.html" import heading, paragraph, button, code as big_code %}
{% block title %}Welcome{% endblock %}
{% block preheader %}One click, {{ name }}{% endblock %}
{% block content %}
{{ heading("Hello " ~ name) }}
{{ paragraph("One click and you are in.") }}
{{ button(url, "Confirm address") }}
{{ big_code(code) }}
{% endblock %}"#;
    const TEXT_BODY: &str = r#"{% extends "layout.txt" %}
{% block content %}
Hello {{ name }}: {{ url }}
{% endblock %}"#;

    fn templates() -> Templates {
        Templates::new().add("welcome", "  Welcome,\n {{ name }} ", TEXT_BODY, BODY).unwrap()
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let brand =
            Brand { name: "Maison <Zoë>".into(), imprint: "Maison, Paris".into(), ..Brand::default() };
        let mail = templates().brand(&brand).render("welcome", &WELCOME).unwrap();
        assert_eq!(mail.subject, "Welcome, <b>Zoë & Co</b>");
        assert!(
            mail.text.contains("Hello <b>Zoë & Co</b>: https://shop.example/v?a=1&t=\"x"),
            "{}",
            mail.text
        );
        assert!(mail.text.contains("Maison, Paris"), "{}", mail.text);
        assert!(mail.html.contains("Hello &lt;b&gt;Zoë &amp; Co&lt;"), "{}", mail.html);
        assert!(!mail.html.contains("<b>Zoë"), "{}", mail.html);
        assert!(mail.html.contains("Maison &lt;Zoë&gt;"), "{}", mail.html);
        assert!(mail.html.contains("493021") && mail.html.contains("Confirm address"), "{}", mail.html);
        assert!(!mail.html.contains("&t=\"x"), "the link left its attribute: {}", mail.html);
        assert!(!mail.html.contains("<img") && !mail.html.contains("<script"), "{}", mail.html);
    }

    #[test]
    fn a_missing_value_is_an_error_and_so_is_a_missing_mail() {
        let error = templates().render("welcome", &serde_json::json!({"name": "x"})).unwrap_err();
        assert!(error.to_string().contains("welcome/body.txt"), "{error}");
        assert!(
            templates()
                .render("farewell", &WELCOME)
                .unwrap_err()
                .to_string()
                .contains("farewell/subject.txt")
        );
        assert!(Templates::new().add("x", "{{", "", "").unwrap_err().to_string().contains("x/subject.txt"));
    }

    #[test]
    fn an_operator_may_replace_single_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("welcome")).unwrap();
        std::fs::write(dir.path().join("welcome/subject.txt"), "Bienvenue {{ name }}").unwrap();
        let mail = templates().with_overrides(dir.path()).unwrap().render("welcome", &WELCOME).unwrap();
        assert_eq!(mail.subject, "Bienvenue <b>Zoë & Co</b>");
        assert!(mail.html.contains("Confirm address"));
        std::fs::write(dir.path().join("layout.html"), "{% block").unwrap();
        assert!(templates().with_overrides(dir.path()).unwrap_err().to_string().contains("layout.html"));
    }
}
