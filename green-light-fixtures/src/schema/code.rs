//! A step that is a function of the user.

use std::{
    any::{TypeId, type_name},
    fmt,
    panic::{self, Location},
    sync::Arc,
};

use crate::database_pool::BoxFuture;
use crate::error::{Error, Kind};
use crate::schema::new_database::NewDatabase;
use crate::schema::step::Step;
use crate::sql::dialect::Dialect;

type Run = dyn Fn(NewDatabase) -> BoxFuture<'static, Result<(), Error>> + Send + Sync;

/// A function: a seed, or one that has a name.
pub(crate) struct Code {
    /// How errors call it.
    name: Arc<str>,
    identity: String,
    /// What tells it from the other functions of this build of the program.
    pub(super) type_identity: String,
    /// Whether it captures values, of which nothing is known.
    pub(super) captures: bool,
    /// Whether it gets the URL of the database.
    may_connect: bool,
    run: Arc<Run>,
}

impl Code {
    /// A function with a name, which stands for the values that it captures.
    pub(crate) fn named<F, E>(name: &str, code: F) -> Self
    where
        F: AsyncFn(&NewDatabase) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        const HELP: &str = "it runs once, on a new database in which the steps before it have run";
        let called = format!("`{name}` of `Schema::run`");
        Self {
            identity: format!("run {name}"),
            may_connect: true,
            ..Self::new(called, HELP, code, NewDatabase::clone)
        }
    }

    pub(super) fn new<F, A, E>(
        name: String,
        help: &'static str,
        code: F,
        argument: fn(&NewDatabase) -> A,
    ) -> Self
    where
        F: AsyncFn(&A) -> Result<(), E> + Send + Sync + 'static,
        A: Send + 'static,
        E: fmt::Display + 'static,
    {
        let (name, code): (Arc<str>, _) = (name.into(), Arc::new(code));
        Self {
            name: Arc::clone(&name),
            // All closures of one function have the same name.
            identity: format!("seed {}", type_name::<F>()),
            type_identity: format!("{:?}", TypeId::of::<F>()),
            captures: false,
            may_connect: false,
            run: Arc::new(move |new| {
                let (name, code) = (Arc::clone(&name), Arc::clone(&code));
                Box::pin(run_code(name, help, code, argument(&new)))
            }),
        }
    }
}

impl Step for Code {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        (self.run)(new.clone())
    }

    fn identity(&self) -> String {
        self.identity.clone()
    }

    /// It is promised to run once, so it cannot be tried out.
    fn content_digest_input<'a>(
        &'a self,
        _dialect: &'static dyn Dialect,
        _place: &'static Location<'static>,
    ) -> BoxFuture<'a, Option<String>> {
        Box::pin(async { None })
    }

    fn type_identity(&self) -> Option<&str> {
        Some(&self.type_identity)
    }

    fn captures(&self) -> bool {
        self.captures
    }

    fn may_connect(&self) -> bool {
        self.may_connect
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Runs the function on a thread that may block, where its future need not be `Send`.
async fn run_code<F, A, E>(
    name: Arc<str>,
    help: &'static str,
    code: Arc<F>,
    argument: A,
) -> Result<(), Error>
where
    F: AsyncFn(&A) -> Result<(), E> + Send + Sync + 'static,
    A: Send + 'static,
    E: fmt::Display + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        runtime
            .block_on((*code)(&argument))
            .map_err(|error| error.to_string())
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(Error::new(Kind::Schema, format!("{name} failed"))
            .help(help)
            .because(message)),
        // A panic has its own message and place already: it goes on as it is.
        Err(ended) if ended.is_panic() => panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(Error::new(Kind::Schema, format!("{name} was cancelled"))
            .help("the runtime shut down while the template was being built")
            .because(ended)),
    }
}
