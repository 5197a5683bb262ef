//! Running a function before `main`.

/// Calls a function before `main`, and before any thread: the C library calls what stands in
/// `.init_array` (the ELF gABI, chapter 5; `ld.so(8)`).
#[doc(hidden)]
#[macro_export]
macro_rules! __at_start {
    ($run:expr) => {
        const _: () = {
            extern "C" fn at_start() {
                $run
            }
            #[used]
            #[unsafe(link_section = ".init_array")]
            static AT_START: extern "C" fn() = at_start;
        };
    };
}
