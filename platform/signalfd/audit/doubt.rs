//! Threads that block everything: for a moment, as the C library makes them, or for good.

use std::time::{Duration, Instant};

/// Between looks at a thread that blocks all; longer than the C library is busy with a thread.
pub(super) const PAUSE: Duration = Duration::from_millis(1);

/// So many looks have to find a thread asleep, a [`PAUSE`] apart, before its mask counts as its own
/// choice: one that only the C library makes, or that a program makes by its functions too.
const ASLEEP_FULL: u32 = 100;
const ASLEEP_ALL: u32 = 10;

/// Or so many looks have to find that it has run on in the program's own code: 50 ms, in the ticks of
/// `stat`. Looks are counted, not ticks: a virtual machine that was not running for a while may book
/// the time, at once, to the thread that was to.
const COMPUTED: u32 = 5;

/// Ten ticks of `stat`: one that does not get on for so long is not about to.
const STARVED: Duration = Duration::from_millis(100);

/// What was seen of a thread whose mask is one that the C library makes for a moment.
///
/// The C library makes it in three kinds of threads. A *newborn* runs for some microseconds, and
/// sleeps at most while its creator sets its scheduling, by two or three system calls. A *creator*
/// (of a thread, or of a process by `fork(3)` or `posix_spawn(3)`) is inside the system call that
/// creates: it runs there, or waits without being asleep (state D). It takes the mask back each
/// time, but one that creates all the time is hardly ever seen without (96 of 100 looks, and 186 in
/// a row), and the fork of a large process lasts long. One that *leaves* will never let a signal in
/// again, and starts no thread: it may count as blocking.
///
/// So a thread keeps the mask by its own will if each look found the mask, and many found the thread
/// asleep, which no creator is, nor a newborn for so long; or if it has meanwhile run on and on in the
/// program's own code, and longer there than in system calls: 4 of 100 parts of its time is what a
/// creator has there.
#[derive(Default)]
pub(super) struct Doubt {
    first: Option<Activity>,
    last: Option<Instant>,
    /// Looks that found it asleep.
    asleep: u32,
    /// What the last look found of `user`, and how many found more than the one before.
    user: u64,
    ran: u32,
    /// A look found it asleep, or further on than the first one did.
    has_got_on: bool,
}

impl Doubt {
    /// Whether this look settles it.
    pub(super) fn is_settled_by(&mut self, now: Activity) -> bool {
        let first = *self.first.get_or_insert_with(|| {
            self.user = now.user;
            now
        });
        self.ran += u32::from(now.user > self.user);
        self.user = now.user;
        if now.is_asleep && self.last.is_none_or(|last| now.seen.duration_since(last) >= PAUSE) {
            self.last = Some(now.seen);
            self.asleep += 1;
        }
        let user = now.user.saturating_sub(first.user);
        let system = now.system.saturating_sub(first.system);
        self.has_got_on |= now.is_asleep || (user, system) != (0, 0);
        let needed = match now.mask {
            Mask::Full => ASLEEP_FULL,
            Mask::All => ASLEEP_ALL,
        };
        self.asleep >= needed || (self.ran >= COMPUTED && user > system)
    }

    /// Whether it has had no processor since the first look, for long: others have them all, or it is a
    /// virtual one that stands still. Such a thread can't take the mask back.
    pub(super) fn is_starved(&self, now: Instant) -> bool {
        let since = self.first.map_or(Duration::ZERO, |first| now.duration_since(first.seen));
        !self.has_got_on && since >= STARVED
    }
}

/// Which mask the C library, or the thread's own will, has made.
#[derive(Clone, Copy)]
pub(super) enum Mask {
    /// The C library's own signals too: glibc's way.
    Full,
    /// All that a program can block: the way of the other C libraries.
    All,
}

/// What a thread was doing at a moment.
#[derive(Clone, Copy)]
pub(super) struct Activity {
    pub(super) seen: Instant,
    pub(super) mask: Mask,
    /// It waits for something, and not for the kernel's own sake (`State` S).
    pub(super) is_asleep: bool,
    /// The time it ran in its life, in the program's code and in the kernel's (`utime`, `stime`), in
    /// ticks of 10 ms.
    pub(super) user: u64,
    pub(super) system: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a look finds: asleep or not, user and system time.
    type Look = (bool, u64, u64);

    /// Which of 1,000 looks, a pause apart, settles that the thread blocks by its own will.
    fn settled(mask: Mask, look: impl Fn(u32) -> Look) -> Option<u32> {
        let (start, mut doubt) = (Instant::now(), Doubt::default());
        (1..=1000).find(|&number| {
            let (is_asleep, user, system) = look(number);
            let seen = start + PAUSE * number;
            doubt.is_settled_by(Activity { seen, mask, is_asleep, user, system })
        })
    }

    /// Ticks, after so many milliseconds.
    fn ticks(millis: u32) -> u64 {
        u64::from(millis / 10)
    }

    #[test]
    fn a_thread_for_good() {
        assert_eq!(settled(Mask::Full, |_| (true, 0, 0)), Some(ASLEEP_FULL));
        assert_eq!(settled(Mask::All, |_| (true, 0, 0)), Some(ASLEEP_ALL));
        for mask in [Mask::Full, Mask::All] {
            assert!(settled(mask, |number| (false, ticks(number), 0)).is_some_and(|at| at <= 60));
        }
        // Now this, now that.
        let both = settled(Mask::Full, |number| (number % 2 == 0, 0, ticks(number) / 2));
        assert_eq!(both, Some(2 * ASLEEP_FULL));
    }

    #[test]
    fn a_thread_between() {
        for mask in [Mask::Full, Mask::All] {
            // A newborn that waits for a CPU; with a number that another had before.
            assert_eq!(settled(mask, |_| (false, 0, 0)), None);
            assert_eq!(settled(mask, |number| (false, u64::from(number < 9), 0)), None);
            // The machine itself waits for one, twice.
            let stolen = |number| 30 * u64::from(number > 3) + 30 * u64::from(number > 9);
            assert_eq!(settled(mask, |number| (false, stolen(number), 0)), None);
            // It creates all the time, a thread or one large process.
            assert_eq!(settled(mask, |number| (false, ticks(number) / 25, ticks(number))), None);
            assert_eq!(settled(mask, |number| (false, 1000, ticks(number))), None);
        }
    }

    /// At the last of so many looks, a pause apart.
    fn is_starved(looks: u32, look: impl Fn(u32) -> Look) -> bool {
        let (start, mut doubt) = (Instant::now(), Doubt::default());
        (1..=looks).fold(false, |_, number| {
            let ((is_asleep, user, system), seen) = (look(number), start + PAUSE * number);
            doubt.is_settled_by(Activity { seen, mask: Mask::Full, is_asleep, user, system });
            doubt.is_starved(seen)
        })
    }

    #[test]
    fn a_thread_without_a_processor() {
        assert!(!is_starved(50, |_| (false, 7, 7)), "it waits for its turn");
        assert!(is_starved(200, |_| (false, 7, 7)));
        // One that sleeps, or slept, and one that creates all the time.
        assert!(!is_starved(200, |_| (true, 7, 7)));
        assert!(!is_starved(200, |number| (number == 9, 7, 7)));
        assert!(!is_starved(200, |number| (false, 7, ticks(number))));
    }

    #[test]
    fn looks_in_the_same_moment_count_once() {
        let (seen, mut doubt) = (Instant::now(), Doubt::default());
        let now = Activity { seen, mask: Mask::All, is_asleep: true, user: 0, system: 0 };
        assert!((0..1000).all(|_| !doubt.is_settled_by(now)));
    }
}
