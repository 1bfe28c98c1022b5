//! Templates on PostgreSQL.

use crate::postgres::server::PostgresServer;
use crate::server::template::ServerTemplate;

pub(crate) type PostgresTemplate = ServerTemplate<PostgresServer>;
