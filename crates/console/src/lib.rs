//! The front door: the pages and the one address all services are reached by.
