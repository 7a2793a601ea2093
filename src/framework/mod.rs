//! What a resource is: values, schemas, plans.
