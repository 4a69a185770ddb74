//! The people of the demo. The history's customers have no names in the data, so theirs are made up.

use contracts::customers::{Address, ImportCustomer};
use contracts::identity::ImportAccount;
use kernel::{Date, Rng};

use super::history::{SEED, external_customer};
use crate::import::{ImportPerson, customer_id};

/// Somebody to sign in as.
pub(super) struct Shopper {
    pub(super) name: &'static str,
    pub(super) email: &'static str,
}

/// The customers with the longest histories are these people.
pub(super) const SHOPPERS: [Shopper; 3] = [
    Shopper { name: "Ada Winter", email: "ada@example.com" },
    Shopper { name: "Noor Haddad", email: "noor@example.com" },
    Shopper { name: "Maya Lindqvist", email: "maya@example.com" },
];

/// Who looks after the demo shop.
pub(super) const STAFF_EMAIL: &str = "staff@example.com";

/// What all of them sign in with.
pub(super) const PASSWORD: &str = "correct-horse-demo-souk";

const FIRST: [&str; 32] = [
    "Alma", "Amina", "Anouk", "Bea", "Carla", "Chidi", "Clara", "Daria", "Elif", "Elsa", "Emre", "Fatou",
    "Freya", "Hana", "Ines", "Ivo", "Jun", "Kai", "Lena", "Leyla", "Lucia", "Mara", "Mei", "Mila", "Nadia",
    "Oona", "Priya", "Rosa", "Sana", "Tess", "Yara", "Zoe",
];
const LAST: [&str; 32] = [
    "Abbas", "Almeida", "Andersen", "Bauer", "Berg", "Castro", "Chen", "Diallo", "Dubois", "Eriksen",
    "Fischer", "Garcia", "Haas", "Ibrahim", "Ito", "Jansen", "Kaya", "Keller", "Kowalski", "Laurent",
    "Lopez", "Moretti", "Ng", "Novak", "Okafor", "Petrov", "Rossi", "Santos", "Silva", "Tanaka", "Weber",
    "Yilmaz",
];
const TOWNS: [(&str, &str, &str); 12] = [
    ("Portland", "OR", "97205"),
    ("Madison", "WI", "53703"),
    ("Savannah", "GA", "31401"),
    ("Santa Fe", "NM", "87501"),
    ("Ithaca", "NY", "14850"),
    ("Boulder", "CO", "80302"),
    ("Asheville", "NC", "28801"),
    ("Duluth", "MN", "55802"),
    ("Astoria", "OR", "97103"),
    ("Camden", "ME", "04843"),
    ("Galveston", "TX", "77550"),
    ("Marfa", "TX", "79843"),
];
const STREETS: [&str; 8] = ["Alder", "Birch", "Cedar", "Elm", "Hazel", "Juniper", "Maple", "Willow"];

/// Makes the customer of the history a person; `rank` is their place by number of orders.
pub(super) struct People {
    rng: Rng,
}

impl People {
    pub(super) fn new() -> Self {
        Self { rng: Rng::seeded(SEED) }
    }

    pub(super) fn person(&self, customer: u32, first_day: Date, rank: usize) -> ImportPerson {
        let external_id = external_customer(customer);
        let customer_id = customer_id(&external_id);
        let made_up = format!("{} {}", self.pick(&FIRST), self.pick(&LAST));
        let shopper = SHOPPERS.get(rank);
        let name = shopper.map_or(made_up, |shopper| shopper.name.to_owned());
        let email = shopper.map_or_else(
            || format!("{}.{customer:05}@example.com", name.to_lowercase().replace(' ', ".")),
            |shopper| shopper.email.to_owned(),
        );
        let (city, region, postal_code) = self.pick(&TOWNS);
        let address = Address {
            name: name.clone(),
            line1: format!("{} {} Street", self.rng.below(900) + 1, self.pick(&STREETS)),
            line2: None,
            city: city.to_owned(),
            region: Some(region.to_owned()),
            postal_code: Some(postal_code.to_owned()),
            country: "US".to_owned(),
        };
        let created_at = first_day.start();
        ImportPerson {
            account: ImportAccount {
                customer_id,
                email: email.clone(),
                verified: true,
                password_hash: None,
                created_at,
            },
            customer: ImportCustomer {
                customer_id,
                external_id,
                email,
                name: Some(name),
                phone: None,
                locale: Some("en".to_owned()),
                addresses: vec![address],
                consents: Vec::new(),
                created_at,
            },
        }
    }

    fn pick<T: Copy>(&self, from: &[T]) -> T {
        let index = usize::try_from(self.rng.below(from.len() as u64)).unwrap_or(0);
        from[index]
    }
}
