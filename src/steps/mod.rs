//! The changes to one composite's sub-objects, and their order.
