//! Compiles the detector files into the tables that the program starts with.

fn main() {}
