//! What an application does with libraries that measure their stack: templates, a GraphQL schema, a grammar.

use async_graphql::{Context, EmptyMutation, EmptySubscription, Object, Schema};
use pest::Parser as _;
use tera::Tera;

/// A page of a shop, by Tera.
pub fn page(name: &str) -> String {
    let mut tera = Tera::default();
    let template =
        "Hello {{ name | upper }}: {% for n in [1, 2, 3] %}{{ n * (2 + n) }};{% endfor %}";
    tera.add_raw_template("page", template)
        .expect("the template is right");
    let mut context = tera::Context::new();
    context.insert("name", name);
    tera.render("page", &context).expect("the page is rendered")
}

/// A mail, by handlebars.
pub fn mail(name: &str) -> String {
    let data = std::collections::BTreeMap::from([("name", name)]);
    let mail =
        handlebars::Handlebars::new().render_template("Dear {{#if name}}{{name}}{{/if}}", &data);
    mail.expect("the mail is rendered")
}

/// What the shop is asked.
pub struct Query;

#[Object]
impl Query {
    /// The sum of what is bought.
    async fn sum(&self, context: &Context<'_>, prices: Vec<i32>) -> i32 {
        prices.iter().sum::<i32>() + context.data_opt::<i32>().copied().unwrap_or_default()
    }
}

/// The schema of the shop.
pub type Shop = Schema<Query, EmptyMutation, EmptySubscription>;

/// Makes the schema.
pub fn shop() -> Shop {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(1_i32)
        .finish()
}

/// Asks the shop for the price of three things.
pub async fn sum(shop: &Shop) -> String {
    let response = shop.execute("query { all: sum(prices: [1, 2, 3]) }").await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.to_string()
}

#[derive(pest_derive::Parser)]
#[grammar_inline = r#"
number = @{ ASCII_DIGIT+ }
sum = { term ~ ("+" ~ term)* }
term = { number | "(" ~ sum ~ ")" }
whole = { SOI ~ sum ~ EOI }
"#]
struct Sums;

/// Whether the text is a sum, by pest.
pub fn is_sum(text: &str) -> bool {
    match Sums::parse(Rule::whole, text) {
        Ok(_) => true,
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains("stack limit"), "{text}");
            false
        }
    }
}

/// All of it.
pub async fn everything() {
    without_waiting();
    assert_eq!(sum(&shop()).await, "{all: 7}");
}

/// All that needs no `.await`.
pub fn without_waiting() {
    assert_eq!(page("ann"), "Hello ANN: 3;8;15;");
    assert_eq!(mail("ann"), "Dear ann");
    assert!(is_sum("1+((2+3)+4)"));
    assert!(!is_sum("1+"));
}
