//! The clinical core: records, facts, rules, findings and the next visit, without I/O or a clock.
