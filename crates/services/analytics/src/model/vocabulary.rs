/// The present name of an event of Segment's e-commerce vocabulary, for its names of before 2016.
/// Other names are their own.
pub(super) fn present_name(event: &str) -> &str {
    match event {
        "Viewed Product Category" => "Product List Viewed",
        "Viewed Product" => "Product Viewed",
        "Added Product" => "Product Added",
        "Removed Product" => "Product Removed",
        "Started Order" => "Checkout Started",
        "Viewed Checkout Step" => "Checkout Step Viewed",
        "Completed Checkout Step" => "Checkout Step Completed",
        "Completed Order" => "Order Completed",
        "Refunded Order" => "Order Refunded",
        "Searched Products" => "Products Searched",
        "Viewed Promotion" => "Promotion Viewed",
        "Clicked Promotion" => "Promotion Clicked",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_count_as_the_present_ones() {
        assert_eq!(present_name("Completed Order"), "Order Completed");
        assert_eq!(present_name("Order Completed"), "Order Completed");
        assert_eq!(present_name("Song Played"), "Song Played");
    }
}
