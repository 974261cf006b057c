use super::*;

#[test]
fn a_network_is_read_in_its_normal_form() {
    let cases = [
        ("192.0.2.0/24", Some("192.0.2.0/24")),
        ("192.0.2.77/24", Some("192.0.2.0/24")),
        (" 192.0.2.77 ", Some("192.0.2.77/32")),
        ("2001:DB8::/32", Some("2001:db8::/32")),
        ("2001:db8::7", Some("2001:db8::7/128")),
        ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
        ("::ffff:192.0.2.7/120", Some("192.0.2.0/24")),
        ("::ffff:192.0.2.7/95", None),
        ("0.0.0.0/0", Some("0.0.0.0/0")),
        ("192.0.2.0/33", None),
        ("2001:db8::/129", None),
        ("192.0.2", None),
        ("192.0.2.0/", None),
        ("192.0.2.0/24,198.51.100.0/24", None),
        ("example.com", None),
        ("", None),
    ];
    for (entry, expected) in cases {
        assert_eq!(network(entry).map(|net| net.to_string()).as_deref(), expected, "{entry}");
    }
}
