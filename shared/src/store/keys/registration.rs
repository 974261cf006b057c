//! The keys of registration, of the audit log, and of the keys that sign for a tenant.
