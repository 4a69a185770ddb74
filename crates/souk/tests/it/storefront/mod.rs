//! The storefront in a browser, as a person uses it: by mouse, by keyboard alone, and on a phone.

mod demo;

use demo::Demo;
use fantoccini::key::Key;
use serde_json::json;

use crate::browser::Browser;
use crate::journey::sign_in;

const PASSWORD: &str = "a long enough passphrase";
/// Known to everybody: the demo's own.
const DEMO_PASSWORD: &str = "correct-horse-demo-souk";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_finds_signs_up_buys_watches_and_tells() {
    let demo = Demo::start().await;
    let person = Browser::on_a_desk(&demo.url).await;

    find_something(&person).await;
    sign_up(&person).await;
    let order = buy(&person).await;
    watch(&demo, &person, &order).await;
    tell(&person).await;
    look_back(&person, &order).await;

    person.is_content(&["402 (Payment Required)"]).await;
    person.close().await;
}

/// Browses, searches as one types, narrows, and puts two pieces into the bag as a guest.
async fn find_something(person: &Browser) {
    person.open_page("/").await;
    person.press("Shop everything").await;
    person.arrives("/shop").await;
    person.press("Show more").await;
    person.until("document.querySelectorAll('.card').length === 48").await;

    person.fill("#search", "lips").await;
    person.until("document.querySelector('h1').innerText === '“lips”'").await;
    person.fill("#search", "lipstick").await;
    person.until("document.querySelector('h1').innerText === '“lipstick”'").await;
    assert_eq!(person.run("return document.activeElement.id").await, "search", "one goes on typing");
    person.choose("#filter-brand", "maren-vale").await;
    person.until("location.search.includes('brand=maren-vale')").await;
    person.until("[...document.querySelectorAll('.card-brand')].every((brand) => brand.innerText === 'Maren Vale')").await;
    person.click("#filter-stock").await;
    person.until("location.search.includes('in_stock=true')").await;

    person.open_page("/products/soiree-satin-lipstick").await;
    person.reads("$24.00").await;
    person.click("[data-variant] + [data-variant]").await;
    person.until("location.search.startsWith('?variant=var_')").await;
    person.click("[aria-label='One more']").await;
    person.click("#add-to-bag").await;
    person.until("document.getElementById('bag-count').innerText === '2'").await;
}

/// Opens an account; the mail is read in the mailbox and its link followed. The bag comes along.
async fn sign_up(person: &Browser) {
    person.press("Sign in").await;
    person.press("Open an account").await;
    person.arrives("/signup").await;
    person.fill("[name=email]", "grace@example.com").await;
    person.fill("[name=password]", "too short").await;
    person.press("Open the account").await;
    person.until("document.querySelector('[name=password][aria-invalid]')").await;
    person.fill("[name=password]", PASSWORD).await;
    person.press("Open the account").await;
    person.arrives("/account/verify").await;
    person.press("Open the demo’s mailbox").await;
    person.arrives("/mailbox").await;
    person.reads("grace@example.com").await;
    person.follow_mail("Confirm address").await;
    person.arrives("/").await;
    person.until("document.getElementById('account-link').innerText === 'Account'").await;
    person.until("document.getElementById('bag-count').innerText === '2'").await;
    assert_eq!(person.run("return location.hash").await, "", "the token stays nowhere");
}

/// Changes the bag, is declined, confirms with the bank, and has an order.
async fn buy(person: &Browser) -> String {
    person.click("#bag-link").await;
    person.arrives("/cart").await;
    person.until("document.getElementById('subtotal').innerText === '$48.00'").await;
    person.click("[id^=more-]").await;
    person.until("document.getElementById('subtotal').innerText === '$72.00'").await;
    person.click("#to-checkout").await;
    person.arrives("/checkout").await;
    person.press("Pay $72.00").await;
    person.until("document.querySelectorAll('[aria-invalid]').length === 3").await;
    let address = [
        ("name", "Grace Hopper"),
        ("line1", "1 Alder Street"),
        ("city", "Portland"),
        ("postal_code", "97205"),
    ];
    for (field, value) in address {
        person.fill(&format!("[name={field}]"), value).await;
    }
    for (card, sentence) in [
        ("tok_declined", "The bank declined this card."),
        ("tok_insufficient_funds", "not enough money on this card"),
    ] {
        person.click(&format!("[value={card}]")).await;
        person.press("Pay $72.00").await;
        person.reads(sentence).await;
    }
    person.click("[value=tok_challenge]").await;
    person.press("Pay $72.00").await;
    person.until("location.pathname.startsWith('/sandbox/challenges/')").await;
    person.click("button.approve").await;
    person.until("location.pathname.startsWith('/orders/')").await;
    person.settled().await;
    person.until("document.querySelectorAll('.steps .done').length === 2").await;
    person.until("document.getElementById('bag-count').innerText === '0'").await;
    person.reads("It is yours").await;
    person.run("return location.pathname.split('/').pop()").await.as_str().unwrap().to_owned()
}

/// Staff send it while the stream is away. The page hears of it once it is back, without being told what.
async fn watch(demo: &Demo, person: &Browser, order: &str) {
    person.until("document.getElementById('live').dataset.live === 'true'").await;
    let staff = sign_in(&demo.api, "staff@example.com", DEMO_PASSWORD).await;
    person.until("document.getElementById('live').dataset.live === 'false'").await;
    let parcel = json!({"tracking": {"carrier": "DHL", "number": "00340434161094042557"}});
    let shipments = format!("/v1/orders/{order}/shipments");
    demo.api.post(&shipments, parcel).bearer(&staff.access).key("parcel-1").expect(201).await;
    person.until("document.querySelectorAll('.steps .done').length === 4").await;
    person.reads("Sent with DHL, 00340434161094042557.").await;
}

/// Answers the poll.
async fn tell(person: &Browser) {
    person.find("#poll-form").await;
    person.press("Send").await;
    person
        .until("document.querySelector('#poll-form [aria-invalid], #poll-form .failure:not([hidden])')")
        .await;
    person.click("#poll-form .scale .choice:last-child").await;
    person.fill("#poll-form textarea", "The colour is right.").await;
    person.click("#poll-send").await;
    person.reads("We read every answer.").await;
}

/// Finds the order in the history, and in the mailbox.
async fn look_back(person: &Browser, order: &str) {
    person.open_page("/orders?query=soiree&status=completed").await;
    person.click(&format!("#orders a[href='/orders/{order}']")).await;
    person.arrives(&format!("/orders/{order}")).await;
    person.until("document.querySelectorAll('#order-events li').length >= 4").await;
    let number = person.text("h1").await.trim_start_matches("Order ").to_owned();
    person.open_page("/orders?status=cancelled").await;
    person.reads("No order fits.").await;
    person.open_page("/mailbox").await;
    person.reads(&format!("Your order {number}")).await;
    person.open_page("/account").await;
    person.press("Sign out").await;
    person.arrives("/").await;
    person.until("document.getElementById('account-link').innerText === 'Sign in'").await;
    person.open_page(&format!("/orders/{order}")).await;
    person.arrives("/signin").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_can_be_bought_with_a_keyboard() {
    let demo = Demo::start().await;
    let person = Browser::on_a_desk(&demo.url).await;
    person.open_page("/").await;
    person.tab_to("Skip to the content").await;
    person.key(Key::Enter).await;
    person.tab_to("Shop everything").await;

    person.tab_back_to("Search the shop").await;
    person.keys("rosewood").await;
    person.until("document.querySelector('h1').innerText === '“rosewood”'").await;
    person.tab_to("Soirée Satin Lipstick").await;
    person.key(Key::Enter).await;
    person.arrives("/products/soiree-satin-lipstick").await;
    person.until("document.activeElement === document.querySelector('h1')").await;
    person.tab_to("Rosewood").await;
    person.key(Key::Right).await;
    person.until("location.search.startsWith('?variant=var_')").await;
    person.tab_to("Add to bag").await;
    person.key(Key::Enter).await;
    person.until("document.getElementById('announcer').innerText === 'It is in your bag.'").await;

    person.tab_back_to("Bag, 1 piece").await;
    person.key(Key::Enter).await;
    person.arrives("/cart").await;
    person.tab_to("One more").await;
    person.key(Key::Enter).await;
    person.until("document.getElementById('subtotal').innerText === '$48.00'").await;
    assert!(person.focused().await.starts_with("One more"), "the focus stays where it was");
    person.tab_to("Check out").await;
    person.key(Key::Enter).await;
    person.arrives("/checkout").await;

    let fields = [
        ("Email", "guest@example.com"),
        ("Name", "A Guest"),
        ("Street", "2 Birch Street"),
        ("Town", "Ithaca"),
    ];
    for (label, text) in fields {
        person.tab_to(label).await;
        person.keys(text).await;
    }
    person.tab_to("Visa ending in 4242").await;
    person.tab_to("Pay $").await;
    person.key(Key::Enter).await;
    person.until("location.pathname.startsWith('/orders/')").await;
    person.settled().await;
    person.until("document.querySelectorAll('.steps .done').length === 2").await;

    // A dialog keeps the focus, and Escape is no.
    person.tab_to("Cancel this order").await;
    person.key(Key::Enter).await;
    person.until("document.querySelector('dialog[open]')?.contains(document.activeElement)").await;
    person.key(Key::Escape).await;
    person.until("!document.querySelector('dialog')").await;
    person.tab_back_to("Lipstick").await;
    person.tab_to("Cancel this order").await;
    person.key(Key::Enter).await;
    person.tab_to("Yes, cancel it").await;
    person.key(Key::Enter).await;
    person.reads("You cancelled it.").await;
    person.is_content(&[]).await;
    person.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_fit_for_a_phone_and_for_everybody() {
    let demo = Demo::start().await;
    let person = Browser::on_a_phone(&demo.url).await;
    let pages = [
        "/",
        "/shop",
        "/shop?query=nothing-of-that-name",
        "/products/daylight-skin-tint",
        "/cart",
        "/signup",
    ];
    for page in pages.into_iter().chain(["/signin", "/account/verify", "/account/recover"]) {
        fits_everybody(&person, page).await;
    }
    person.open_page("/products/soiree-satin-lipstick").await;
    person.click("#add-to-bag").await;
    person.until("document.getElementById('bag-count').innerText === '1'").await;
    person.open_page("/signin?next=/checkout").await;
    person.press("Ada Winter").await;
    person.arrives("/checkout").await;
    fits_everybody(&person, "/checkout").await;
    fits_everybody(&person, "/cart").await;
    person.open_page("/checkout").await;
    person.click("#pay").await;
    person.until("location.pathname.startsWith('/orders/')").await;
    person.find("#poll-form").await;
    let order = person.run("return location.pathname").await;
    fits_everybody(&person, order.as_str().unwrap()).await;
    person.open_page("/orders").await;
    person.press("Show older orders").await;
    person.until("document.querySelectorAll('.order-row').length === 40").await;
    for page in ["/orders", "/account", "/mailbox"] {
        fits_everybody(&person, page).await;
    }
    person.is_content(&[]).await;
    person.close().await;
}

/// No page is wider than the screen, and none breaks a rule of `audit.js`, in light or in dark.
async fn fits_everybody(person: &Browser, page: &str) {
    for scheme in ["light", "dark"] {
        person.prefer(scheme).await;
        person.open_page(page).await;
        let wrong = person.run(include_str!("audit.js")).await;
        assert_eq!(wrong, json!([]), "{page} when it is {scheme}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_served_so_that_nothing_foreign_runs_and_nothing_is_sent_twice() {
    let demo = Demo::start().await;
    let get = async |path: &str| {
        demo.api.http().get(demo.api.url(path)).header("accept-encoding", "br").send().await.unwrap()
    };
    let page = get("/products/anything").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(policy.contains("require-trusted-types-for 'script'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(page.headers()["referrer-policy"], "no-referrer");
    let tag = page.headers()["etag"].clone();
    let again = demo.api.http().get(demo.api.url("/")).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    // It would take the place of the page's own.
    assert!(again.headers().get("content-security-policy").is_none(), "{:?}", again.headers());

    let page = demo.api.http().get(demo.api.url("/")).send().await.unwrap().text().await.unwrap();
    let script = page.split('"').find(|part| part.ends_with("/app.js")).unwrap();
    let script = get(script).await;
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(script.headers()["content-encoding"], "br");
    assert!(script.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(get("/storefront/0000000000000000/app.js").await.status(), 404);

    // Mails are for whoever sits at the machine, and came to it by its own name.
    assert_eq!(get("/demo/mails").await.status(), 200);
    let rebound =
        demo.api.http().get(demo.api.url("/demo/mails")).header("host", "shop.example").send().await;
    assert_eq!(rebound.unwrap().status(), 403);
}
