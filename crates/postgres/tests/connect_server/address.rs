//! Addresses as libpq reads them.

use std::path::Path;

use lakefront_postgres::connect::{AddressError, ConnectOptions, RootCertificates, SslMode, SslNegotiation};

fn parse(text: &str) -> Result<ConnectOptions, AddressError> {
    ConnectOptions::parse_in(text, &[("USER", "me"), ("HOME", "/home/me")])
}

fn described(text: &str) -> String {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).describe()
}

#[test]
fn urls_and_pairs_mean_the_same() {
    for (url, pairs) in [
        ("postgres://anna@db:5433/shop", "host=db port=5433 user=anna dbname=shop"),
        ("postgresql://db/shop?user=anna&port=1", "user=anna host=db dbname=shop port=1"),
        ("postgres://a%40b@db/x%2Fy", "user=a@b host=db dbname='x/y'"),
        ("postgres://%2Fvar%2Frun/shop", "host=/var/run dbname=shop"),
        ("postgres:///shop?host=/var/run", "host = /var/run  dbname = shop"),
        ("postgres://anna@[::1]:7/d", "host=::1 port=7 dbname=d user=anna"),
        ("postgres://a:1,b,c:3/d", "host=a,b,c port=1,,3 dbname=d"),
        ("postgres://db/d?application_name=it's", "host=db dbname=d application_name='it\\'s'"),
    ] {
        assert_eq!(parse(url).unwrap(), parse(pairs).unwrap(), "{url} and {pairs}");
    }
    assert_eq!(described("postgres://anna@[::1]:7/d"), "[::1]:7/d as anna");
    assert_eq!(described("postgres://a:1,b,c:3/d"), "a:1,b:5432,c:3/d as me");
    assert_eq!(described("postgres://db"), "db:5432/me as me");
    assert_eq!(described("host=db port=5555"), "db:5555/me as me");
    assert_eq!(described(" postgres://u@db/d\n"), "db:5432/d as u");
}

#[test]
fn the_address_can_be_written_out_again() {
    for text in [
        "postgres://us%20er:p%40ss%2F%25@db:5433/sh%C3%B6p?sslmode=require",
        "postgres://u:p@%2Frun%2Fpg:5433/d",
        "postgres://u@[::1]:7/d?sslmode=disable",
        "postgres://u:p@a:1,b:2/d?sslmode=verify-full",
    ] {
        let options = parse(text).unwrap();
        assert_eq!(parse(&options.url_with_password()).unwrap(), options, "{text}");
        let open = options.url();
        assert!(!open.contains("p%40ss") && !open.contains(":p@"), "{open}");
    }
}

#[test]
fn no_message_and_no_debug_output_repeats_a_password() {
    const SECRET: &str = "s3cr3t";
    for text in [
        "postgres://anna:s3cr3t@db:no/shop",
        "postgres://anna:s3cr3t/x@db/shop",
        "postgres://anna:s3cr3t%zz@db/shop",
        "postgres://anna:x@s3cr3t@db:y/shop",
        "postgres://anna:s3cr3t@db/shop?bogus",
        "postgres://anna:s3cr3t@db/shop?sslmode=s3cr3t",
        "postgres://anna@db/shop?s3cr3t=1",
        "mysql://anna:s3cr3t@db/shop",
        "password=a s3cr3t",
        "password='a s3cr3t",
        "password=a s3cr3t=1",
        "host=db password=s3cr3t port=x",
        "s3cr3t",
    ] {
        let error = parse(text).unwrap_err();
        let told = format!("{error} {error:?} {:?}", error.hint());
        assert!(!told.contains(SECRET), "{text}: {told}");
    }
    let options = parse("postgres://anna:s3cr3t@db/shop").unwrap();
    for told in [format!("{options:?}"), format!("{options:#?}"), options.describe(), options.url()] {
        assert!(!told.contains(SECRET), "{told}");
    }
}

#[test]
fn wrong_addresses_are_told_by_kind() {
    assert_eq!(parse("db"), Err(AddressError::Form));
    assert_eq!(parse("jdbc:postgresql://db/shop"), Err(AddressError::Form));
    assert_eq!(
        parse("postgres://db/d?sslmod=require"),
        Err(AddressError::Unknown(Some("sslmod".to_owned())))
    );
    for (text, wrong) in [
        ("postgres://db:0/d", "port"),
        ("postgres://db:65536/d", "port"),
        ("host=a,b port=1,2,3", "port"),
        ("hostaddr=nowhere", "hostaddr"),
        ("host=db sslmode=on", "sslmode"),
        ("host=db connect_timeout=soon", "connect_timeout"),
        ("host=db sslrootcert=system sslmode=require", "sslmode"),
        ("host=db sslnegotiation=direct", "sslnegotiation"),
        ("host=db target_session_attrs=best", "target_session_attrs"),
    ] {
        match parse(text) {
            Err(AddressError::Value { keyword, .. }) => assert_eq!(keyword, wrong, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    for text in
        ["service=x", "host=db requirepeer=postgres", "host=db gssencmode=require", "host=db sslpassword=x"]
    {
        assert!(matches!(parse(text), Err(AddressError::Unsupported { .. })), "{text}");
    }
}

#[test]
fn tls_parameters_follow_libpq() {
    let tls = |text: &str| parse(text).unwrap().tls().clone();
    assert_eq!(tls("host=db").mode, SslMode::Prefer);
    assert_eq!(tls("postgres://db/d?ssl=true").mode, SslMode::Require);
    assert_eq!(tls("host=db sslrootcert=system").mode, SslMode::VerifyFull);
    assert_eq!(tls("host=db sslrootcert=system").roots, RootCertificates::System);
    assert_eq!(tls("host=db").roots, RootCertificates::File("/home/me/.postgresql/root.crt".into()));
    assert_eq!(tls("host=db sslcert=/c").certificate, Path::new("/c"));
    assert_eq!(tls("host=db sslcert=/c").key, Path::new("/home/me/.postgresql/postgresql.key"));
    assert_eq!(tls("host=db sslnegotiation=direct sslmode=require").negotiation, SslNegotiation::Direct);
    for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
        assert_eq!(tls(&format!("host=db sslmode={mode}")).mode.as_str(), mode);
    }
}

#[test]
fn the_environment_is_read_when_it_names_a_server() {
    let from = |variables: [(&str, &str); 6]| ConnectOptions::from_env_in(&variables).unwrap();
    const NONE: (&str, &str) = ("", "");
    let user = ("USER", "me");
    assert_eq!(from([user, NONE, NONE, NONE, NONE, NONE]), None);
    assert_eq!(
        from([user, ("PGPASSWORD", "x"), ("PGSSLMODE", "require"), ("PGUSER", "u"), ("PGHOST", ""), NONE]),
        None
    );

    let options = from([
        user,
        ("PGHOST", "db"),
        ("PGPORT", "7"),
        ("PGUSER", "u"),
        ("PGDATABASE", "d"),
        ("PGSSLMODE", "require"),
    ]);
    let options = options.unwrap();
    assert_eq!(options.describe(), "db:7/d as u");
    assert_eq!(options.tls().mode, SslMode::Require);

    // The address comes first, and libpq's variables fill what it leaves open.
    let options = from([
        user,
        ("DATABASE_URL", "postgres://anna@there/d"),
        ("PGHOST", "here"),
        ("PGPORT", "7"),
        ("PGUSER", "u"),
        ("PGPASSWORD", "x"),
    ]);
    let options = options.unwrap();
    assert_eq!(options.describe(), "there:7/d as anna");
    assert_eq!(options.password_for(&options.servers()[0]).unwrap().reveal(), "x");
}

#[test]
fn another_user_does_not_inherit_the_password() {
    let options = parse("postgres://anna:one@db/d").unwrap();
    let other = options.clone().with_user("bert").with_database("e");
    assert_eq!(other.describe(), "db:5432/e as bert");
    assert_eq!(other.password_for(&other.servers()[0]), None);
}
