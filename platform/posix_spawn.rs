//! Starting a program by `posix_spawn(3)`, which copies no page tables.
//!
//! No code runs in the child, so what it starts with is decided in the parent, while other threads go
//! on opening and dropping receivers. That can't go wrong: the mask is the calling thread's own, less
//! a set that never shrinks. A disposition is put to its default whether or not this crate has changed
//! it just then, unless the program ignores the signal; exec does the same to one with a handler.
//!
//! What can't be said this way is that a signal is to be ignored which is not now: `CHLD` alone, where
//! the process was started with that ignored. A receiver makes it the default, and another thread may
//! open or drop one at any moment. Then the caller forks.

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use super::actions::Action;
use super::spawn::{Request, newly_blocked};
use super::{backend, sigset};
use crate::{Disposition, Signal, SignalSet};

/// Starts the program and returns its pid; or `None` if that can't be done in this way.
pub(crate) fn posix_spawn(request: &Request<'_>) -> io::Result<Option<i32>> {
    let Some(defaults) = defaults()? else { return Ok(None) };
    let mut attributes = Attributes::new()?;
    let mut actions = FileActions::new()?;
    attributes.set_mask(sigset::thread_mask()? - newly_blocked())?;
    attributes.set_defaults(defaults)?;
    let mut flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
    if let Some(group) = request.group {
        attributes.set_group(group)?;
        flags |= libc::POSIX_SPAWN_SETPGROUP;
    }
    attributes.set_flags(flags)?;
    // Those that are 0, 1 or 2 would be in the way of each other.
    let mut copies = Vec::new();
    for (target, file) in (0..).zip(&request.files) {
        let Some(file) = file else { continue };
        let mut from = file.as_raw_fd();
        if from <= libc::STDERR_FILENO {
            let copy = rustix::io::fcntl_dupfd_cloexec(file, libc::STDERR_FILENO + 1)?;
            from = copy.as_raw_fd();
            copies.push(copy);
        }
        actions.add_dup(from, target)?;
    }
    if let Some(directory) = request.directory {
        let Some(add) = backend::add_chdir() else { return Ok(None) };
        actions.add_chdir(add, directory)?;
    }
    spawn(request, &attributes, &actions, copies).map(Some)
}

fn spawn(
    request: &Request<'_>,
    attributes: &Attributes,
    actions: &FileActions,
    copies: Vec<OwnedFd>,
) -> io::Result<i32> {
    let (arguments, environment) = (pointers(request.arguments), pointers(request.environment));
    let spawn = if request.is_looked_for { libc::posix_spawnp } else { libc::posix_spawn };
    let mut pid = 0;
    // SAFETY: the name ends, both lists end, actions and attributes are initialised, and none of it
    // changes meanwhile; the pid is there to be written to.
    let error = unsafe {
        spawn(
            &mut pid,
            request.program.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            arguments.as_ptr().cast(),
            environment.as_ptr().cast(),
        )
    };
    drop(copies);
    done(error).map(|()| pid)
}

/// As C has lists of strings: ended by null.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    let mut pointers: Vec<_> = strings.iter().map(|string| string.as_ptr()).collect();
    pointers.push(ptr::null());
    pointers
}

/// The signals whose default the child starts with; `None` if it is to ignore one that may not be
/// ignored at that moment.
fn defaults() -> io::Result<Option<SignalSet>> {
    // As the standard library has it: Rust's runtime ignores PIPE, and no other program expects that.
    let mut defaults = SignalSet::from(Signal::PIPE);
    for signal in backend::touched() {
        let action = Action::of(signal)?;
        let in_child = action.for_child(signal).unwrap_or(action);
        if in_child.disposition() != Disposition::Ignore {
            defaults |= SignalSet::from(signal);
        } else if signal == Signal::CHLD {
            return Ok(None);
        }
    }
    Ok(Some(defaults))
}

/// These functions return their errors.
fn done(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

struct Attributes(MaybeUninit<libc::posix_spawnattr_t>);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: there is room for them.
        done(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        Ok(Attributes(attributes))
    }

    fn set_mask(&mut self, mask: SignalSet) -> io::Result<()> {
        let mask = sigset::to_sigset(mask);
        // SAFETY: they are initialised, as is the set.
        done(unsafe { libc::posix_spawnattr_setsigmask(self.0.as_mut_ptr(), &mask) })
    }

    fn set_defaults(&mut self, set: SignalSet) -> io::Result<()> {
        let set = sigset::to_sigset(set);
        // SAFETY: they are initialised, as is the set.
        done(unsafe { libc::posix_spawnattr_setsigdefault(self.0.as_mut_ptr(), &set) })
    }

    fn set_group(&mut self, group: i32) -> io::Result<()> {
        // SAFETY: they are initialised.
        done(unsafe { libc::posix_spawnattr_setpgroup(self.0.as_mut_ptr(), group) })
    }

    fn set_flags(&mut self, flags: libc::c_int) -> io::Result<()> {
        let flags = libc::c_short::try_from(flags).map_err(io::Error::other)?;
        // SAFETY: they are initialised.
        done(unsafe { libc::posix_spawnattr_setflags(self.0.as_mut_ptr(), flags) })
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: they are initialised, and not used any more.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}

/// `posix_spawn_file_actions_addchdir_np(3)`, which not every C library has.
pub(super) type AddChdir =
    unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, *const c_char) -> libc::c_int;

struct FileActions(MaybeUninit<libc::posix_spawn_file_actions_t>);

impl FileActions {
    fn new() -> io::Result<FileActions> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: there is room for them.
        done(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        Ok(FileActions(actions))
    }

    fn add_dup(&mut self, from: i32, to: i32) -> io::Result<()> {
        // SAFETY: they are initialised.
        done(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from, to) })
    }

    fn add_chdir(&mut self, add: AddChdir, directory: &CStr) -> io::Result<()> {
        // SAFETY: they are initialised, and the path ends; it is copied.
        done(unsafe { add(self.0.as_mut_ptr(), directory.as_ptr()) })
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: they are initialised, and not used any more.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

/// The function, where the C library that the program runs with has it under one of its names: older
/// ones have not, so the program can't be linked to it.
#[allow(dead_code)] // musl has had it for long
pub(super) fn look_up_add_chdir() -> Option<AddChdir> {
    let names = [c"posix_spawn_file_actions_addchdir_np", c"posix_spawn_file_actions_addchdir"];
    let found = names.iter().find_map(|name| {
        // SAFETY: the name ends.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!address.is_null()).then_some(address)
    });
    // SAFETY: every C library that has a function of this name has it with this type.
    found.map(|address| unsafe { std::mem::transmute::<*mut libc::c_void, AddChdir>(address) })
}
