//! Room for sends: of a lane's places no contact and no host may take more than some, so that a receiver that hangs
//! keeps none from another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::ids::ContactName;
use crate::on_call::{Address, OnCall};

/// Sends under way to one contact, in each lane of one replica.
pub const AT_ONE_CONTACT: usize = 8;
/// Sends under way to one host, in each lane of one replica.
pub const AT_ONE_HOST: usize = 24;

/// Whom and which host a send occupies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// To whom.
    pub contact: ContactName,
    /// Over which host and port; none when the set-up no longer has the channel.
    pub host: Option<String>,
}

/// How many sends are under way, by contact and by host.
#[derive(Clone, Debug, Default)]
pub struct Room {
    contacts: BTreeMap<ContactName, usize>,
    hosts: BTreeMap<String, usize>,
}

/// What has no room at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// Contacts, over any channel.
    pub contacts: Vec<String>,
    /// Contacts by the place of a channel in their list whose host has no room.
    pub channels: BTreeMap<i32, Vec<String>>,
}

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub struct Taken {
    room: Arc<Mutex<Room>>,
    place: Place,
}

impl Place {
    /// What a send to `contact` over this channel of the set-up occupies.
    pub fn of(on_call: &OnCall, contact: ContactName, channel: i32) -> Self {
        let address = on_call.contact(&contact).and_then(|known| known.channels.get(usize::try_from(channel).ok()?));
        Self { host: address.and_then(Address::host), contact }
    }
}

impl Room {
    /// Takes a place. False, and nothing taken, when the contact or the host has all it may have.
    pub fn take(&mut self, place: &Place) -> bool {
        let of = |count: Option<&usize>| count.copied().unwrap_or_default();
        let host = place.host.as_ref().map_or(0, |host| of(self.hosts.get(host)));
        let free = of(self.contacts.get(&place.contact)) < AT_ONE_CONTACT && host < AT_ONE_HOST;
        if free {
            self.enter(place);
        }
        free
    }

    fn enter(&mut self, place: &Place) {
        *self.contacts.entry(place.contact.clone()).or_default() += 1;
        if let Some(host) = &place.host {
            *self.hosts.entry(host.clone()).or_default() += 1;
        }
    }

    fn give_back(&mut self, place: &Place) {
        if let Some(count) = self.contacts.get_mut(&place.contact) {
            *count -= 1;
        }
        if let Some(count) = place.host.as_ref().and_then(|host| self.hosts.get_mut(host)) {
            *count -= 1;
        }
        self.contacts.retain(|_, count| *count > 0);
        self.hosts.retain(|_, count| *count > 0);
    }

    /// What of the set-up has no room.
    pub fn full(&self, on_call: &OnCall) -> Full {
        let full = self.contacts.iter().filter(|(_, count)| **count >= AT_ONE_CONTACT);
        let contacts = full.map(|(contact, _)| contact.0.clone()).collect();
        let mut channels = BTreeMap::<_, Vec<_>>::new();
        for (name, contact) in on_call.contacts() {
            for (channel, address) in (0..).zip(&contact.channels) {
                let taken = address.host().and_then(|host| self.hosts.get(&host).copied());
                if taken.is_some_and(|count| count >= AT_ONE_HOST) {
                    channels.entry(channel).or_default().push(name.0.clone());
                }
            }
        }
        Full { contacts, channels }
    }
}

impl Taken {
    /// Takes the place of a send that begins; its claim has looked for room before.
    pub fn begin(room: &Arc<Mutex<Room>>, place: Place) -> Self {
        lock(room).enter(&place);
        Self { room: room.clone(), place }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        lock(&self.room).give_back(&self.place);
    }
}

/// The room as it is, whoever panicked with it in hand: its counts are whole at any time.
pub fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(contact: &str, host: &str) -> Place {
        Place { contact: contact.into(), host: Some(host.to_owned()) }
    }

    #[test]
    fn a_contact_has_its_share_and_no_more_until_a_send_ends() {
        let room = Arc::<Mutex<Room>>::default();
        let mut taken: Vec<_> = (0..AT_ONE_CONTACT).map(|_| Taken::begin(&room, place("a", "host"))).collect();
        assert!(!lock(&room).clone().take(&place("a", "elsewhere")));
        assert!(lock(&room).clone().take(&place("b", "host")));
        taken.pop();
        assert!(lock(&room).clone().take(&place("a", "host")));
        taken.clear();
        assert!(lock(&room).contacts.is_empty() && lock(&room).hosts.is_empty());
    }

    #[test]
    fn a_host_has_its_share_whoever_is_behind_it() {
        let mut room = Room::default();
        let taken = (0..100).filter(|number| room.take(&place(&format!("contact-{number}"), "host"))).count();
        assert_eq!(taken, AT_ONE_HOST);
        assert!(room.take(&place("contact-0", "other")));
    }
}
