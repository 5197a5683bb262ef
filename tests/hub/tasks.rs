//! Tasks of tokio that wait together.

use std::sync::mpsc;

use crate::harness::send;
use crate::{hub, is_unread, multi_thread, next, runtime, subscribe};
use signal_source::Signal;

/// Those of one runtime are woken together: three, two, and one alone.
pub fn tasks_of_several_runtimes() {
    let hub = hub(Signal::USR1);
    let (told, tell) = mpsc::channel();
    let runtimes = [3, 2, 1].map(|tasks| {
        let runtime = multi_thread();
        for _ in 0..tasks {
            let (mut subscriber, told) = (subscribe(&hub, Signal::USR1), told.clone());
            runtime.spawn(async move {
                for _ in 0..20 {
                    let signal = next(&mut subscriber).await;
                    told.send(signal).expect("the case");
                }
            });
        }
        runtime
    });
    for _ in 0..20 {
        send(Signal::USR1);
        assert!((0..6).all(|_| tell.recv().expect("a task") == Signal::USR1));
    }
    drop(runtimes);
}

pub fn two_in_one_task() {
    let hub = hub([Signal::USR1, Signal::USR2]);
    let (mut usr1, mut usr2) = (subscribe(&hub, Signal::USR1), subscribe(&hub, Signal::USR2));
    multi_thread().block_on(async {
        let task = tokio::spawn(async move {
            for signal in [Signal::USR1, Signal::USR2, Signal::USR2, Signal::USR1] {
                send(signal);
                let received = tokio::select! {
                    received = next(&mut usr1) => received,
                    received = next(&mut usr2) => received,
                };
                assert_eq!(received, signal);
            }
        });
        task.await.expect("no panic");
    });
}

pub fn in_a_local_set() {
    let mut subscriber = subscribe(&hub(Signal::USR1), Signal::USR1);
    tokio::task::LocalSet::new().block_on(&runtime(), async {
        let (told, mut tell) = tokio::sync::mpsc::unbounded_channel();
        tokio::task::spawn_local(async move {
            loop {
                told.send(next(&mut subscriber).await).expect("the case");
            }
        });
        for _ in 0..3 {
            send(Signal::USR1);
            assert_eq!(tell.recv().await, Some(Signal::USR1));
        }
    });
}

/// The first task to wait finds no distributor in its runtime; the later ones do, and wait with it for
/// hubs that none has waited for.
pub fn tasks_that_are_the_first_to_wait_for_their_hub() {
    let runtime = runtime();
    for signal in [Signal::USR1, Signal::USR2, Signal::TERM] {
        let hub = hub(signal);
        let mut subscriber = subscribe(&hub, signal);
        let waiter = runtime.spawn(async move {
            let received = next(&mut subscriber).await;
            (subscriber, received)
        });
        runtime.block_on(async {
            tokio::task::yield_now().await;
            send(signal);
            let (mut subscriber, received) = waiter.await.expect("no panic");
            assert_eq!((received, is_unread(&mut subscriber)), (signal, None));
        });
    }
}
