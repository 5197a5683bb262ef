//! Any text and any numbers that a caller may come with.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use signal_source::{Signal, SignalSet};

/// Tries many inputs; what fails is made as small as it can be.
fn for_many<S: Strategy>(inputs: S, property: impl Fn(S::Value)) {
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(input);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

pub(crate) fn any_text_is_a_signal_or_an_error() {
    let property = |text: String| match text.parse::<Signal>() {
        Ok(signal) => {
            assert_eq!(signal.to_string().parse(), Ok(signal), "{text:?}");
            assert_eq!(text.to_lowercase().parse(), Ok(signal), "{text:?}");
            assert_eq!(Signal::from_raw(signal.as_raw()), Some(signal));
        }
        Err(error) => assert!(error.to_string().contains(&format!("{text:?}")), "{error}"),
    };
    for_many(any::<String>(), property);
    // Nearly right.
    for_many(
        ("(SIG)?", "(sig)?(rtmin|RTMAX|TERM|hup|[0-9]{0,12})", "[-+]?[0-9]{0,12}")
            .prop_map(|(prefix, name, offset)| prefix + &name + &offset),
        property,
    );
}

pub(crate) fn any_numbers_make_a_set() {
    for_many(proptest::collection::vec(any::<i32>().prop_map(|n| n % 140), 0..200), |numbers| {
        let signals: Vec<_> = numbers.into_iter().filter_map(Signal::from_raw).collect();
        let expected: BTreeSet<_> = signals.iter().copied().collect();
        let set = SignalSet::from(signals);
        assert_eq!(set.iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(set.len(), expected.len());
        assert!(set.iter().eq(expected.iter().copied()), "in the same order");
        let names = set.to_string();
        let parsed = names.split(", ").filter(|name| !name.is_empty());
        assert_eq!(parsed.map(|name| name.parse().expect("a name")).collect::<SignalSet>(), set);
    });
}
