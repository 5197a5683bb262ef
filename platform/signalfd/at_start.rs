//! Running a function before `main`.

/// Calls a function before `main`: the C library calls what stands in `.init_array` (the ELF gABI,
/// chapter 5; `ld.so(8)`).
///
/// Linkers sort the sections by the number in their names, lower first, and put those without any
/// last. 101 is the first that the C library and the compiler leave to programs
/// (`__attribute__((constructor(101)))`), so this comes before the constructors that may start a
/// thread: those of C++, and of the crates that run code before `main`.
#[doc(hidden)]
#[macro_export]
macro_rules! __at_start {
    ($run:expr) => {
        const _: () = {
            extern "C" fn at_start() {
                $run
            }
            #[used]
            #[unsafe(link_section = ".init_array.00101")]
            static AT_START: extern "C" fn() = at_start;
        };
    };
}
