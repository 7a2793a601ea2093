//! The AWS calls we make, and no others.
