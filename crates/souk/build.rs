//! The storefront is embedded as a folder, and the compiler does not see what is added to one.

fn main() {
    println!("cargo:rerun-if-changed=../../storefront");
}
