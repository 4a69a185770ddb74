//! Shopify's product export: one row per variant, further rows for further pictures.

use std::io::BufRead;

use contracts::catalog::{ImportProduct, ImportSeller, ImportVariant};
use kernel::{Currency, Timestamp};

use super::Records;
use super::csv_rows::{Cells, grouped};
use crate::import::record::money;
use crate::import::{Refusal, product_id, seller_id, variant_id};

const OPTIONS: [(&str, &str); 3] =
    [("Option1 Name", "Option1 Value"), ("Option2 Name", "Option2 Value"), ("Option3 Name", "Option3 Value")];

/// Shopify's export names no currency and no day of creation, so the shop's currency is taken, and
/// the epoch, which keeps a second import the same as the first.
pub(super) fn products(
    reader: impl BufRead + Send + 'static,
    currency: Currency,
) -> anyhow::Result<Records<ImportProduct>> {
    grouped(reader, "Handle", &["Handle", "Title", "Variant Price"], move |rows| {
        let head = rows.first().ok_or_else(|| Refusal::missing("Handle"))?;
        let handle = head.required("Handle")?;
        let vendor = head.optional("Vendor").unwrap_or("Shop");
        let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| head.get(name)).collect();
        let variants: Vec<ImportVariant> = rows
            .iter()
            .filter(|row| row.optional("Variant Price").is_some())
            .enumerate()
            .map(|(index, row)| variant(row, &names, handle, index, currency))
            .collect::<Result<_, _>>()?;
        if variants.is_empty() {
            return Err(Refusal::missing("Variant Price"));
        }
        let mut images: Vec<String> =
            rows.iter().filter_map(|row| row.optional("Image Src")).map(str::to_owned).collect();
        images.dedup();
        Ok(ImportProduct {
            product_id: product_id(handle),
            handle: handle.to_owned(),
            title: head.required("Title")?.to_owned(),
            description: plain_text(head.get("Body (HTML)")),
            brand: vendor.to_owned(),
            categories: categories(head),
            seller: ImportSeller { seller_id: seller_id(vendor), name: vendor.to_owned() },
            ingredients: None,
            images,
            status: status(head)?.to_owned(),
            variants,
            created_at: Timestamp::EPOCH,
        })
    })
}

fn variant(
    row: &Cells,
    names: &[&str],
    handle: &str,
    index: usize,
    currency: Currency,
) -> Result<ImportVariant, Refusal> {
    // The export lets a variant go without a stock keeping unit; ours is what identifies it.
    let sku = row.optional("Variant SKU").map_or_else(|| format!("{handle}-{}", index + 1), str::to_owned);
    let options: Vec<(String, String)> = names
        .iter()
        .zip(OPTIONS)
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, (_, value))| ((*name).to_owned(), row.get(value).to_owned()))
        .filter(|(_, value)| !value.is_empty() && value != "Default Title")
        .collect();
    let title = options.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(" / ");
    Ok(ImportVariant {
        variant_id: variant_id(&sku),
        title: if title.is_empty() { "Default".to_owned() } else { title },
        sku,
        options,
        price: money("Variant Price", row.required("Variant Price")?, currency)?,
        // A shop that sells on without stock writes a negative number; here the shelf is empty then.
        stock: match row.optional("Variant Inventory Qty") {
            None => None,
            Some(text) => {
                let stock: i64 = text
                    .parse()
                    .map_err(|_| Refusal::invalid("Variant Inventory Qty", text, "a whole number"))?;
                Some(stock.max(0))
            }
        },
    })
}

/// `Health & Beauty > Personal Care > Cosmetics` becomes the path of its last two names.
fn categories(head: &Cells) -> Vec<String> {
    let path = head.optional("Product Category").or_else(|| head.optional("Type")).unwrap_or_default();
    let names: Vec<String> = path.split('>').map(slug).filter(|name| !name.is_empty()).collect();
    let tail = names.get(names.len().saturating_sub(2)..).unwrap_or_default();
    if tail.is_empty() { Vec::new() } else { vec![tail.join("/")] }
}

fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.trim().chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            slug.push(letter);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

fn status(head: &Cells) -> Result<&'static str, Refusal> {
    match head.get("Status") {
        "active" | "" if head.get("Published") != "false" => Ok("active"),
        "active" | "draft" | "archived" | "" => Ok("draft"),
        other => Err(Refusal::invalid("Status", other, "active, draft or archived")),
    }
}

/// The text of a piece of HTML: tags become blanks, the five entities their characters.
fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside_tag = false;
    for letter in html.chars() {
        match letter {
            '<' => {
                inside_tag = true;
                text.push(' ');
            }
            '>' => inside_tag = false,
            _ if !inside_tag => text.push(letter),
            _ => {}
        }
    }
    let text = text
        .replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORT: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Option3 Name,Option3 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src,Status\n\
        velvet,Velvet Lip,\"<p>Soft &amp; <b>matte</b>.</p>\",Maren Vale,Health & Beauty > Cosmetics > Lipstick,,,true,Shade,Rose,,,,,VL-1,4,24.00,https://img.example/1.png,active\n\
        velvet,,,,,,,,,Brick,,,,,VL-2,-2,24.00,https://img.example/2.png,\n\
        velvet,,,,,,,,,,,,,,,,,https://img.example/3.png,\n\
        soap,Soap,,,,Bath,,true,Title,Default Title,,,,,,7,5.5,,draft\n";

    #[test]
    fn variants_and_pictures_are_told_apart() {
        let records: Vec<_> = products(EXPORT.as_bytes(), Currency::EUR).unwrap().collect();
        let velvet = records[0].content.as_ref().unwrap();
        assert_eq!(velvet.description, "Soft & matte .");
        assert_eq!(velvet.categories, ["cosmetics/lipstick"]);
        assert_eq!(velvet.images.len(), 3);
        let told: Vec<_> = velvet.variants.iter().map(|v| (v.title.as_str(), v.stock)).collect();
        assert_eq!(told, [("Rose", Some(4)), ("Brick", Some(0))]);
        let soap = records[1].content.as_ref().unwrap();
        assert_eq!((soap.status.as_str(), soap.variants[0].sku.as_str()), ("draft", "soap-1"));
        assert_eq!(soap.variants[0].title, "Default");
        assert_eq!(soap.categories, ["bath"]);
    }
}
