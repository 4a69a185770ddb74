//! A person at a browser: looks, clicks, types, and waits for what is to be seen.

use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use testkit::engines::Chromium;

/// How long anything may take to be seen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is looked for.
const GLANCE: Duration = Duration::from_millis(25);

pub struct Browser {
    client: Client,
    session: String,
    base: String,
    // Ends the browser, when dropped, whatever the test came to.
    _chromium: Chromium,
}

impl Browser {
    /// A browser on a desk, at `base`.
    pub async fn on_a_desk(base: &str) -> Self {
        Self::open(base, 1440, 900).await
    }

    /// A browser on a phone that is as narrow as they come.
    pub async fn on_a_phone(base: &str) -> Self {
        let browser = Self::open(base, 500, 800).await;
        // A window cannot be so narrow, but what is shown in it can.
        let metrics = json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true});
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        browser
    }

    async fn open(base: &str, width: u32, height: u32) -> Self {
        let chromium = Chromium::start().await;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(chromium.capabilities(width, height))
            .connect(&chromium.url())
            .await
            .unwrap();
        let id = client.session_id().await.unwrap().unwrap();
        let session = format!("{}/session/{id}", chromium.url());
        Self { client, session, base: base.to_owned(), _chromium: chromium }
    }

    /// What chromedriver can do beyond WebDriver.
    async fn ask(&self, path: &str, body: Value) -> Value {
        let answer = reqwest::Client::new().post(format!("{}{path}", self.session)).json(&body).send();
        let answer: Value = answer.await.unwrap().json().await.unwrap();
        answer["value"].clone()
    }

    async fn devtools(&self, command: &str, parameters: Value) {
        self.ask("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }

    /// From now on as somebody who likes it dark, or light.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Opens an address of the shop, as one that was typed.
    pub async fn open_page(&self, path: &str) {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
        self.settled().await;
    }

    /// Runs the body of a function in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until `expression` is true in the page.
    pub async fn until(&self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        // A page that is being left cannot be asked.
        while self.client.execute(&format!("return Boolean({expression})"), Vec::new()).await.ok()
            != Some(true.into())
        {
            if Instant::now() > deadline {
                let seen = self.run("return `${location}\n${document.body.innerText}`").await;
                panic!("never: {expression}\n{}\n{:#?}", seen.as_str().unwrap(), self.console().await);
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Waits until the page is at `path` and shows what is there.
    pub async fn arrives(&self, path: &str) {
        self.until(&format!("location.pathname === {path:?}")).await;
        self.settled().await;
    }

    /// Waits until the page shows what is at its address.
    pub async fn settled(&self) {
        self.until("document.readyState === 'complete' && !document.querySelector('main[aria-busy]') && document.querySelector('h1')")
            .await;
    }

    /// Waits until the page says `text`.
    pub async fn reads(&self, text: &str) {
        self.until(&format!("document.body.innerText.includes({text:?})")).await;
    }

    /// What an element says.
    pub async fn text(&self, css: &str) -> String {
        self.handle(css, async |element| element.text().await).await
    }

    pub async fn find(&self, css: &str) -> Element {
        self.until(&format!("document.querySelector({css:?})")).await;
        self.client.find(Locator::Css(css)).await.unwrap()
    }

    /// Does something with an element. A page that is drawn anew meanwhile makes another of it: that one, then.
    async fn handle<T>(&self, css: &str, act: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match act(self.find(css).await).await {
                Ok(done) => return done,
                Err(error) => assert!(Instant::now() < deadline, "{css}: {error}"),
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub async fn click(&self, css: &str) {
        self.handle(css, async |element| element.click().await).await;
    }

    /// Clicks what is called `name`: a link or a button.
    pub async fn press(&self, name: &str) {
        let path = format!(
            "//main//*[self::a or self::button][normalize-space()='{name}'] | //header//a[normalize-space()='{name}']"
        );
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.client.find(Locator::XPath(&path)).await {
                Ok(found) if found.click().await.is_ok() => return,
                found => assert!(Instant::now() < deadline, "{name} cannot be clicked: {found:?}"),
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    pub async fn fill(&self, css: &str, text: &str) {
        self.handle(css, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    pub async fn choose(&self, css: &str, value: &str) {
        self.handle(css, async |list| list.select_by_value(value).await).await;
    }

    /// Clicks the first link of the mail that is shown, which is in a frame.
    pub async fn follow_mail(&self, label: &str) {
        self.until("document.querySelector('#mail iframe')").await;
        let frame = self.client.find(Locator::Css("#mail iframe")).await.unwrap();
        frame.enter_frame().await.unwrap();
        self.client.wait().for_element(Locator::LinkText(label)).await.unwrap().click().await.unwrap();
        self.client.clone().enter_parent_frame().await.unwrap();
    }

    /// Types on the keyboard, into whatever has the focus.
    pub async fn keys(&self, text: &str) {
        self.client.active_element().await.unwrap().send_keys(text).await.unwrap();
    }

    pub async fn key(&self, key: Key) {
        self.keys(&String::from(char::from(key))).await;
    }

    /// Presses Tab until what is called `name` has the focus. Whatever is passed must show that it has it.
    pub async fn tab_to(&self, name: &str) {
        self.walk_to(name, &String::from(char::from(Key::Tab))).await;
    }

    /// The other way round.
    pub async fn tab_back_to(&self, name: &str) {
        let keys: String = [char::from(Key::Shift), char::from(Key::Tab)].iter().collect();
        self.walk_to(name, &keys).await;
    }

    async fn walk_to(&self, name: &str, keys: &str) {
        const FAR: usize = 90;
        let mut passed = Vec::new();
        for _ in 0..FAR {
            self.keys(keys).await;
            let focused = self.run(FOCUSED).await;
            let called = focused["name"].as_str().unwrap().to_owned();
            assert_eq!(focused["shown"], true, "{called} has the focus and does not show it");
            if called.contains(name) {
                return;
            }
            passed.push(called);
        }
        panic!("{name} cannot be reached with the keyboard; passed were {passed:#?}");
    }

    /// What has the focus.
    pub async fn focused(&self) -> String {
        self.run(FOCUSED).await["name"].as_str().unwrap().to_owned()
    }

    /// What the browser has to complain about; hints for developers are not complaints.
    async fn console(&self) -> Vec<String> {
        let log = self.ask("/se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().expect("a log").iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| format!("{} {}", entry["level"], entry["message"]))
            .collect()
    }

    /// Fails if the browser had something to complain about: an error, a warning, a breach of the page's
    /// policy, an answer with an error other than those in `expected`.
    pub async fn is_content(&self, expected: &[&str]) {
        let console = self.console().await;
        let complaints: Vec<_> =
            console.iter().filter(|entry| !expected.iter().any(|part| entry.contains(part))).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Ends the session in good order.
    pub async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// What has the focus, what it is called, and whether that shows.
const FOCUSED: &str = r#"
const it = document.activeElement;
const label = it.labels?.[0]?.innerText ?? "";
const shown = [it, it.nextElementSibling, it.closest("label")].some((one) => {
  const style = one && getComputedStyle(one);
  return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
});
return { name: it.getAttribute("aria-label") || label || it.innerText || it.title || it.tagName, shown };
"#;
