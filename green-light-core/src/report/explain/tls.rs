//! Connections over TLS: the feature is missing, the server has none or wants it, a certificate is refused.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &["SQLx was built without TLS support enabled"],
        meaning: "the URL asks for an encrypted connection, and sqlx was built without a TLS feature",
        place: false,
        concern: None,
        help: "in `Cargo.toml`, add `tls-rustls` or `tls-native-tls` to the features of sqlx, or \
               `runtime-tokio-rustls` or `runtime-tokio-native-tls` to those of SeaORM; if the server takes plain \
               connections too, `sslmode=prefer` in the URL does without (MySQL: `ssl-mode=PREFERRED`)",
    },
    KnownError {
        words: &["server does not support TLS"],
        meaning: "the URL asks for an encrypted connection, and the server does not offer any",
        place: false,
        concern: None,
        help: "write `sslmode=prefer` in the URL, which encrypts where the server can (MySQL: \
               `ssl-mode=PREFERRED`); or turn TLS on in the server: `ssl = on` (MySQL: `ssl_cert` and `ssl_key`)",
    },
    KnownError {
        words: &[
            // PostgreSQL; before version 14.
            "no pg_hba.conf entry for host .. no encryption",
            "no pg_hba.conf entry for host .. SSL off",
        ],
        meaning: "no rule in the server's `pg_hba.conf` lets this user into this database without encryption",
        place: false,
        concern: None,
        help: "if the server takes this user over TLS, write `sslmode=require` in the URL, for which sqlx needs its \
               feature `tls-rustls` or `tls-native-tls`; otherwise look at user, database and host, or add a rule",
    },
    KnownError {
        words: &["Connections using insecure transport are prohibited"],
        meaning: "the server takes encrypted connections only (`require_secure_transport`), and this one is not",
        place: false,
        concern: None,
        help: "write `ssl-mode=REQUIRED` in the URL, for which sqlx needs its feature `tls-rustls` or \
               `tls-native-tls`",
    },
    KnownError {
        words: &["RSA auth backend disabled"],
        meaning: "the server asks for the password by `caching_sha2_password`, which needs TLS or RSA, and sqlx has neither \
                  here",
        place: false,
        concern: None,
        help: "in `Cargo.toml`, add a TLS feature of sqlx (`tls-rustls` or `tls-native-tls`), and write \
               `ssl-mode=REQUIRED` in the URL; or add sqlx's feature `mysql-rsa`",
    },
    KnownError {
        words: &[
            "connection requires a valid client certificate",
            "certificate authentication failed for user",
        ],
        meaning: "the server lets this user in with a client certificate only",
        place: false,
        concern: None,
        help: "name it in the URL: `sslcert=/path/client.crt&sslkey=/path/client.key`",
    },
    KnownError {
        words: &[
            "unknown value \" .. \" for `ssl_mode`",
            "unknown value \\\" .. \\\" for `ssl_mode`",
        ],
        meaning: "the URL asks for a kind of encryption that sqlx does not know",
        place: false,
        concern: None,
        help: "write one of `disable`, `allow`, `prefer`, `require`, `verify-ca`, `verify-full` in `sslmode`; on MySQL \
               one of `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`, `VERIFY_IDENTITY` in `ssl-mode`",
    },
    KnownError {
        words: &[
            // rustls, and its `Debug`; OpenSSL, the same; the system library of macOS.
            "invalid peer certificate: UnknownIssuer",
            "InvalidCertificate(UnknownIssuer",
            "certificate verify failed .. self-signed certificate",
            "certificate verify failed .. self signed certificate",
            "certificate verify failed .. unable to get local issuer certificate",
            "TLS connection: The certificate was not trusted",
        ],
        meaning: "this program trusts no authority that has signed the certificate of the server: it is self-signed, \
                  or signed by an authority of your own",
        place: false,
        concern: None,
        help: "name the authority's certificate in the URL: `sslrootcert=/path/ca.pem` (MySQL: \
               `ssl-ca=/path/ca.pem`); for a server that holds nothing but tests, `sslmode=require` (MySQL: \
               `ssl-mode=REQUIRED`) encrypts and does not look at the certificate",
    },
    KnownError {
        words: &[
            "invalid peer certificate: certificate not valid for name",
            "invalid peer certificate: NotValidForName",
            "InvalidCertificate(NotValidForName",
            "certificate verify failed .. ostname mismatch",
            "certificate verify failed .. IP address mismatch",
        ],
        meaning: "the certificate of the server is for another host name than the one in the URL",
        place: false,
        concern: None,
        help: "write the host in the URL as the certificate names it; or `sslmode=verify-ca` (MySQL: \
               `ssl-mode=VERIFY_CA`), which looks at the authority and not at the name",
    },
    KnownError {
        words: &[
            "invalid peer certificate: certificate expired",
            "invalid peer certificate: certificate not valid yet",
            "invalid peer certificate: Expired",
            "invalid peer certificate: NotValidYet",
            "InvalidCertificate(Expired",
            "InvalidCertificate(NotValidYet",
            "certificate verify failed .. certificate has expired",
            "certificate verify failed .. certificate is not yet valid",
        ],
        meaning: "the certificate of the server has expired or is not valid yet, by the clock of this machine",
        place: false,
        concern: None,
        help: "renew the certificate, or set the clock; for a server that holds nothing but tests, `sslmode=require` \
               (MySQL: `ssl-mode=REQUIRED`) encrypts and does not look at the certificate",
    },
    KnownError {
        words: &["CaUsedAsEndEntity"],
        meaning: "the server shows the certificate of an authority as its own, which rustls does not accept",
        place: false,
        concern: None,
        help: "sign a certificate for the server by that authority, `CA:FALSE`; or make it without `CA:TRUE` \
               (`openssl req -x509 -addext basicConstraints=CA:FALSE`); or use sqlx's feature `tls-native-tls`",
    },
    KnownError {
        words: &[
            "invalid peer certificate: ",
            "InvalidCertificate(",
            "error occurred while attempting to establish a TLS connection: ",
            "error communicating with database: received fatal alert: ",
            "error communicating with database: peer is incompatible: ",
            "Tls(Custom {",
            "Tls(Ssl(",
        ],
        meaning: "the server and sqlx did not agree on an encrypted connection, for the reason in the message",
        place: false,
        concern: None,
        help: "look at the parameters of the URL about TLS (`sslmode`, `sslrootcert`; MySQL: `ssl-mode`, `ssl-ca`) and \
               at the server's certificate; for a server that holds nothing but tests, `sslmode=require` (MySQL: \
               `ssl-mode=REQUIRED`) encrypts and does not look at the certificate",
    },
];
