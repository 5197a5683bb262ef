//! Who gets a signal, and when: several subscribers of one.

use crate::harness::{send, set_counting};
use crate::{blocking, hub, is_unread, next, runtime, subscribe};
use signal_source::{Signal, SignalSet};

// origin: libevent multiplesignal (E2), tokio notify_both (R2), libkqueue multi_kqueue (K24)
pub fn two_subscribers_of_one_signal_both_get_it() {
    let hub = hub(Signal::ALRM);
    let (mut one, mut other) = (subscribe(&hub, Signal::ALRM), subscribe(&hub, Signal::ALRM));
    runtime().block_on(async {
        send(Signal::ALRM);
        assert_eq!(next(&mut one).await, Signal::ALRM);
        assert_eq!(next(&mut other).await, Signal::ALRM);
    });
    assert!(is_unread(&mut one).is_none() && is_unread(&mut other).is_none());
}

// origin: tokio dropping_signal_does_not_deregister_any_other_instances (R4)
pub fn of_three_the_second_gets_it_after_the_others_have_gone() {
    let hub = hub(Signal::USR1);
    let first = subscribe(&hub, Signal::USR1);
    let mut second = subscribe(&hub, Signal::USR1);
    let third = subscribe(&hub, Signal::USR1);
    drop((first, third));
    runtime().block_on(async {
        send(Signal::USR1);
        assert_eq!(next(&mut second).await, Signal::USR1);
    });
}

// origin: Go os/signal TestSignal (G1)
pub fn an_unread_subscriber_holds_up_no_other() {
    let set = SignalSet::from([Signal::HUP, Signal::WINCH, Signal::USR1]);
    let hub = hub(set);
    let mut lazy = subscribe(&hub, Signal::HUP);
    send(Signal::HUP);
    assert_eq!(blocking(&mut lazy), Signal::HUP);
    let mut all = subscribe(&hub, set);
    send(Signal::WINCH);
    assert_eq!(blocking(&mut all), Signal::WINCH);
    for _ in 0..2 {
        send(Signal::HUP);
        assert_eq!(blocking(&mut all), Signal::HUP);
    }
    assert_eq!(is_unread(&mut lazy), Some(Signal::HUP));
}

// origin: libuv we_get_signals (E19)
pub fn each_of_ten_signals_reaches_all() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let mut subscribers: Vec<_> = [Signal::USR1, Signal::USR1, Signal::USR2, Signal::USR2]
        .map(|signal| subscribe(&hub, signal))
        .into();
    runtime().block_on(async {
        for _ in 0..10 {
            send(Signal::USR1);
            send(Signal::USR2);
            for subscriber in &mut subscribers {
                let signal = next(subscriber).await;
                assert!(subscriber.set().contains(signal));
            }
        }
    });
}

// origin: libuv one_shot and mixed (E20)
pub fn one_shot_among_steady_ones() {
    let hub = hub(Signal::USR1);
    let mut one_shot = Some(subscribe(&hub, Signal::USR1));
    let mut steady = subscribe(&hub, Signal::USR1);
    let (mut once, mut each) = (0, 0);
    for _ in 0..10 {
        send(Signal::USR1);
        if let Some(mut subscriber) = one_shot.take() {
            blocking(&mut subscriber);
            once += 1;
        }
        blocking(&mut steady);
        each += 1;
    }
    assert_eq!((once, each), (1, 10));
}

// origin: libkqueue rt_late_register (K25)
pub fn a_late_joiner_sees_no_history() {
    let hub = hub(Signal::USR1);
    let mut early = subscribe(&hub, Signal::USR1);
    send(Signal::USR1);
    let mut late = subscribe(&hub, Signal::USR1);
    assert!(is_unread(&mut late).is_none());
    send(Signal::USR1);
    assert_eq!(blocking(&mut late), Signal::USR1);
    assert!(is_unread(&mut late).is_none());
    assert_eq!(early.recv_blocking().expect("recv").merged(), 1); // both
    // By an update, too.
    let mut late = subscribe(&hub, Signal::USR2);
    send(Signal::USR1);
    late.update([Signal::USR1, Signal::USR2]).expect("update");
    assert!(is_unread(&mut late).is_none());
    assert_eq!(is_unread(&mut early), Some(Signal::USR1));
}

pub fn what_came_before_the_first_subscriber_acts() {
    let hub = hub([Signal::TERM, Signal::HUP]);
    send(Signal::TERM);
    let mut hup = subscribe(&hub, Signal::HUP);
    let mut term = subscribe(&hub, Signal::TERM);
    assert!(is_unread(&mut term).is_none());
    drop((hup.try_recv(), hup, term));
}

pub fn standard_signals_merge_for_a_stuck_subscriber() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let set = [Signal::USR1, Signal::USR2];
    let (mut stuck, mut quick) = (subscribe(&hub, set), subscribe(&hub, set));
    for _ in 0..1000 {
        send(Signal::USR1);
        assert_eq!(blocking(&mut quick), Signal::USR1);
    }
    send(Signal::USR2);
    assert_eq!(blocking(&mut quick), Signal::USR2);
    let event = stuck.recv_blocking().expect("recv");
    assert_eq!((event.signal(), event.merged(), event.dropped()), (Signal::USR1, 999, 0));
    assert_eq!(is_unread(&mut stuck), Some(Signal::USR2));
    assert_eq!(is_unread(&mut stuck), None);
}

// origin: Trio, test of fairness between pending signals (T-c)
pub fn different_signals_take_turns() {
    let set = [Signal::USR1, Signal::USR2];
    let mut subscriber = subscribe(&hub(set), set);
    set_counting(Signal::USR1); // what is left in the end acts
    set_counting(Signal::USR2);
    let mut turns = [0, 0];
    for _ in 0..20 {
        send(Signal::USR1);
        send(Signal::USR2);
        turns[usize::from(blocking(&mut subscriber) == Signal::USR2)] += 1;
    }
    assert_eq!(turns, [10, 10]);
}
