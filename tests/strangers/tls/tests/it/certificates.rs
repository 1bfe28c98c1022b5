//! An authority and the certificates that it signs.

use std::{fs, path::Path};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};

/// An authority that no machine trusts.
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "an authority of the tests");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        Self {
            certificate,
            issuer,
        }
    }

    /// Writes its own certificate, and its key, to `name.crt` and `name.key` in `directory`.
    pub fn write(&self, directory: &Path, name: &str) {
        write(directory, name, &self.certificate, self.issuer.key());
    }

    /// Writes a certificate for `host`, and its key, to `name.crt` and `name.key` in `directory`.
    pub fn sign(&self, directory: &Path, name: &str, host: &str, is_expired: bool) {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        if is_expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        write(directory, name, &certificate, &key);
    }
}

fn write(directory: &Path, name: &str, certificate: &Certificate, key: &KeyPair) {
    let file = |end| directory.join(format!("{name}.{end}"));
    fs::write(file("crt"), certificate.pem()).unwrap();
    fs::write(file("key"), key.serialize_pem()).unwrap();
}
