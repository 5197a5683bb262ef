//! A forked child shares the epoll instance of its parent's runtime.

use crate::harness::{self, descriptors, send};
use signal_source::tokio::SignalStream;
use signal_source::{Signal, Signals};

pub fn dropped_in_a_forked_child_the_parent_receives() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let signals = Signals::new(Signal::USR1).expect("open");
    let mut stream = runtime.block_on(async { SignalStream::try_from(signals) }).ok();
    for is_taken_apart in [false, true] {
        harness::in_fork(|| {
            let stream = stream.take().expect("inherited");
            let open = descriptors();
            if is_taken_apart {
                drop(stream.into_inner());
            } else {
                drop(stream);
            }
            assert_eq!(descriptors(), open - usize::from(cfg!(target_os = "linux")));
        });
        for _ in 0..3 {
            send(Signal::USR1);
            let received = runtime.block_on(async {
                stream.as_mut().expect("the parent's").recv().await.expect("recv")
            });
            assert_eq!(received.signal(), Signal::USR1);
        }
    }
}
