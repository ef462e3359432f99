//! A real S3 server for the tests: SeaweedFS.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const KEY: &str = "lakefront";
pub const SECRET: &str = "not-a-real-secret";
/// A user who may do nothing in the bucket.
pub const OTHER_KEY: &str = "somebody";

pub struct S3 {
    server: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl S3 {
    /// Starts the server: `LAKEFRONT_TEST_WEED`, or `weed` beside the Python interpreter or on the path. None, said
    /// loudly, where there is none.
    pub fn start(python: &Path) -> Option<Self> {
        let weed = weed(python)?;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("s3.json");
        let identities = format!(
            r#"{{"identities":[
                {{"name":"a","credentials":[{{"accessKey":"{KEY}","secretKey":"{SECRET}"}}],"actions":["Admin","Read","Write","List"]}},
                {{"name":"b","credentials":[{{"accessKey":"{OTHER_KEY}","secretKey":"{SECRET}"}}],"actions":["Read:elsewhere"]}}]}}"#
        );
        std::fs::write(&config, identities).unwrap();
        let ports: Vec<u16> = free_ports(8);
        let server = Command::new(weed)
            .arg("server")
            .arg(format!("-dir={}", folder.path().display()))
            .args([
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-s3",
                "-volume.max=50",
                "-master.volumeSizeLimitMB=64",
            ])
            .arg(format!("-master.port={}", ports[0]))
            .arg(format!("-master.port.grpc={}", ports[1]))
            .arg(format!("-volume.port={}", ports[2]))
            .arg(format!("-volume.port.grpc={}", ports[3]))
            .arg(format!("-filer.port={}", ports[4]))
            .arg(format!("-filer.port.grpc={}", ports[5]))
            .arg(format!("-s3.port={}", ports[6]))
            .arg(format!("-s3.port.grpc={}", ports[7]))
            .arg(format!("-s3.config={}", config.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("weed starts");
        let s3 = Self { server, port: ports[6], _folder: folder };
        s3.make_bucket(python);
        Some(s3)
    }

    /// Settings for [`lakefront_lake::LakeOptions`], and for deltalake's `storage_options`.
    pub fn settings(&self, key: &str) -> BTreeMap<String, String> {
        [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Runs Python with `options` defined for deltalake and `s3` for pyarrow, and `folder` as its first argument.
    pub fn run(&self, python: &Path, code: &str, folder: &Path) {
        let options: Vec<String> =
            self.settings(KEY).iter().map(|(name, value)| format!("{name:?}: {value:?}")).collect();
        let prelude = format!(
            "import pyarrow.fs\noptions = {{{}, 'AWS_ALLOW_HTTP': 'true'}}\ns3 = pyarrow.fs.S3FileSystem(access_key={KEY:?}, secret_key={SECRET:?}, endpoint_override='127.0.0.1:{}', scheme='http', region='us-east-1', allow_bucket_creation=True)\n",
            options.join(", "),
            self.port
        );
        super::python::run(python, &format!("{prelude}{code}"), folder);
    }

    /// Makes the bucket `lake`, which also shows that the server is ready.
    fn make_bucket(&self, python: &Path) {
        let code = "\nimport time\nfor attempt in range(120):\n    try:\n        s3.create_dir('lake')\n        with s3.open_output_stream('lake/probe') as out: out.write(b'x')\n        break\n    except OSError:\n        if attempt == 119: raise\n        time.sleep(0.25)\n";
        let started = Instant::now();
        self.run(python, code, Path::new("."));
        assert!(started.elapsed() < Duration::from_secs(120));
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn weed(python: &Path) -> Option<PathBuf> {
    let beside = python.parent().map(|folder| folder.join("weed")).filter(|path| path.is_file());
    let candidate = std::env::var_os("LAKEFRONT_TEST_WEED").map(PathBuf::from).or(beside);
    let weed = candidate.unwrap_or_else(|| "weed".into());
    if Command::new(&weed).arg("version").output().is_ok_and(|output| output.status.success()) {
        return Some(weed);
    }
    eprintln!("SKIPPED: there is no weed (SeaweedFS; LAKEFRONT_TEST_WEED names it)");
    None
}

/// Free ports low enough that a server may add 10,000 to them.
fn free_ports(count: usize) -> Vec<u16> {
    let start = 20_000 + (std::process::id() % 20_000) as u16;
    (start..50_000).filter(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok()).take(count).collect()
}
