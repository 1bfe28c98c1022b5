//! One provider of mail for all tests of a run, which sends nothing, and an account of its own for each test.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use green_light::prelude::*;
use invitations::{Mail, Provider};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Where the provider listens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MailUrl(String);

#[derive(Default)]
struct Mails {
    accounts: AtomicUsize,
    sent: Mutex<HashMap<String, Vec<Mail>>>,
}

#[derive(Deserialize)]
struct Account {
    account: String,
}

/// A provider that keeps each mail, and shows it to the account that sent it.
#[fixture(scope = "run")]
async fn mail_url(out: Yield<MailUrl>) -> io::Result<()> {
    let router = Router::new()
        .route("/accounts", post(open_account))
        .route("/mails", get(show).post(send))
        .with_state(Arc::new(Mails::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(server.into_future());
    out.give(MailUrl(url)).await;
    let _ = stop.send(());
    server.await?
}

async fn open_account(State(mails): State<Arc<Mails>>) -> String {
    format!("account-{}", mails.accounts.fetch_add(1, Ordering::Relaxed))
}

async fn send(State(mails): State<Arc<Mails>>, Query(by): Query<Account>, Json(mail): Json<Mail>) {
    let mut sent = mails.sent.lock().expect("no holder panics");
    sent.entry(by.account).or_default().push(mail);
}

async fn show(State(mails): State<Arc<Mails>>, Query(by): Query<Account>) -> Json<Vec<Mail>> {
    let sent = mails.sent.lock().expect("no holder panics");
    Json(sent.get(&by.account).cloned().unwrap_or_default())
}

/// The provider, with an account that no other test has.
#[fixture]
pub(crate) async fn provider(mail_url: &MailUrl) -> Result<Provider, reqwest::Error> {
    let url = mail_url.0.clone();
    let opened = reqwest::Client::new()
        .post(format!("{url}/accounts"))
        .send();
    let account = opened.await?.text().await?;
    Ok(Provider { url, account })
}

/// What was sent by the account of `provider`.
pub(crate) async fn sent(provider: &Provider) -> Result<Vec<Mail>, reqwest::Error> {
    let Provider { url, account } = provider;
    let shown = reqwest::get(format!("{url}/mails?account={account}"));
    shown.await?.json().await
}
