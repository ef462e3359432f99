//! Certificates made with the `openssl` command, as the PostgreSQL manual makes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with certificate authorities and what they signed.
pub struct Authority {
    pub folder: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path) -> Self {
        let authority = Self { folder: folder.to_owned() };
        for name in ["root", "other-root"] {
            authority.openssl(&format!(
                "req -new -x509 -days 30 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN={name} -keyout {name}.key -out {name}.crt"
            ));
        }
        authority
    }

    pub fn path(&self, file: &str) -> String {
        self.folder.join(file).to_str().unwrap().to_owned()
    }

    /// Signs a certificate by `root`, with extensions (version 3) or without (version 1).
    pub fn sign(&self, name: &str, common_name: &str, extensions: &str, days: i32) {
        self.sign_by("root", name, common_name, extensions, days);
    }

    pub fn sign_by(&self, root: &str, name: &str, common_name: &str, extensions: &str, days: i32) {
        self.openssl(&format!(
            "req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN={common_name} -keyout {name}.key -out {name}.csr"
        ));
        let mut sign = format!(
            "x509 -req -in {name}.csr -days {days} -CA {root}.crt -CAkey {root}.key -CAcreateserial -out {name}.crt"
        );
        if !extensions.is_empty() {
            fs::write(self.folder.join("extensions"), extensions).unwrap();
            sign.push_str(" -extfile extensions");
        }
        self.openssl(&sign);
    }

    /// A self-signed certificate that also calls itself an authority: the manual's first recipe.
    pub fn self_sign(&self, name: &str, common_name: &str) {
        self.openssl(&format!(
            "req -new -x509 -days 30 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN={common_name} -keyout {name}.key -out {name}.crt"
        ));
    }

    /// Puts a certificate on the list `revoked.crl` of `root`.
    pub fn revoke(&self, name: &str) {
        let settings = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=30\n";
        fs::write(self.folder.join("ca.conf"), settings).unwrap();
        fs::write(self.folder.join("index"), "").unwrap();
        fs::write(self.folder.join("number"), "01\n").unwrap();
        self.openssl(&format!("ca -config ca.conf -cert root.crt -keyfile root.key -revoke {name}.crt"));
        self.openssl("ca -config ca.conf -cert root.crt -keyfile root.key -gencrl -out revoked.crl");
    }

    pub fn text_of(&self, name: &str) -> String {
        let output = self.command(&format!("x509 -in {name}.crt -noout -text")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn openssl(&self, arguments: &str) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("openssl");
        command.args(arguments.split(' ')).current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}
