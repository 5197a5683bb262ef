//! Values by small numbers that are used again.

use std::ops::{Index, IndexMut};

#[derive(Debug)]
pub(super) struct Slab<T> {
    values: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab { values: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> usize {
        match self.free.pop() {
            Some(number) => {
                self.values[number] = Some(value);
                number
            }
            None => {
                self.values.push(Some(value));
                self.values.len() - 1
            }
        }
    }

    /// The number that the next [`insert`](Self::insert) returns.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.values.len())
    }

    pub(super) fn remove(&mut self, number: usize) -> T {
        let value = self.values[number].take().expect("a number stands for a value");
        self.free.push(number);
        value
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() - self.free.len()
    }

    pub(super) fn get(&self, number: usize) -> Option<&T> {
        self.values.get(number)?.as_ref()
    }

    /// All that there are, with their numbers.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        let values = self.values.iter_mut().enumerate();
        values.filter_map(|(number, value)| value.as_mut().map(|value| (number, value)))
    }
}

impl<T> Index<usize> for Slab<T> {
    type Output = T;

    fn index(&self, number: usize) -> &T {
        self.values[number].as_ref().expect("a number stands for a value")
    }
}

impl<T> IndexMut<usize> for Slab<T> {
    fn index_mut(&mut self, number: usize) -> &mut T {
        self.values[number].as_mut().expect("a number stands for a value")
    }
}
