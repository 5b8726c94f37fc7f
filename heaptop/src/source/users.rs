// SPDX-License-Identifier: GPL-2.0-only

//! Names of users: of /etc/passwd and, by getent(1), of all that the machine's name
//! services know. A static program cannot load those itself.

use crate::error::Error;
use crate::source::root::Root;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};

/// What is known of users.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// The numbers of all names, of which a number may have several.
    uids: HashMap<String, u32>,
    /// The name of a number; `None` if we have asked and nobody knows one.
    names: RefCell<HashMap<u32, Option<String>>>,
    /// May name services be asked?
    asks: bool,
}

impl Users {
    pub(crate) fn read(root: &Root) -> Self {
        let passwd = fs::read(root.passwd()).unwrap_or_default();
        Self {
            asks: root.is_ours(),
            ..Self::parse(&String::from_utf8_lossy(&passwd))
        }
    }

    fn parse(passwd: &str) -> Self {
        let mut users = Self::default();
        for (name, uid) in entries(passwd) {
            users.uids.entry(name.to_string()).or_insert(uid);
            // The first of several names of a number is the one, as for getpwuid(3).
            let names = users.names.get_mut();
            names.entry(uid).or_insert_with(|| Some(name.to_string()));
        }
        users
    }

    /// Asks for the names of those that are unknown, of all at once.
    pub(crate) fn learn(&self, uids: impl Iterator<Item = u32>) {
        let mut names = self.names.borrow_mut();
        let mut unknown: Vec<_> = uids.filter(|uid| !names.contains_key(uid)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() || !self.asks {
            return;
        }
        let keys: Vec<_> = unknown.iter().map(u32::to_string).collect();
        names.extend(unknown.into_iter().map(|uid| (uid, None)));
        for (name, uid) in entries(&getent(&keys)) {
            names.insert(uid, Some(name.to_string()));
        }
    }

    /// The name of a user, or the number if there is none.
    pub(crate) fn name(&self, uid: u32) -> String {
        self.learn(std::iter::once(uid));
        let names = self.names.borrow();
        names
            .get(&uid)
            .cloned()
            .flatten()
            .unwrap_or(uid.to_string())
    }

    /// The number of a user who is given by any name or number.
    pub(crate) fn uid(&self, user: &str) -> Result<u32, Error> {
        if let Some(uid) = self.uids.get(user).copied().or(user.parse().ok()) {
            return Ok(uid);
        }
        let answer = match self.asks {
            true => getent(&[user.to_string()]),
            false => String::new(),
        };
        let uid = entries(&answer).next().map(|(_, uid)| uid);
        uid.ok_or_else(|| Error::NoUser(user.to_string()))
    }
}

/// Names and numbers in the format of passwd(5).
fn entries(passwd: &str) -> impl Iterator<Item = (&str, u32)> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

/// What the name services know of users; nothing, if there is no getent.
fn getent(users: &[String]) -> String {
    Command::new("getent")
        .args(["passwd", "--"])
        .args(users)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let users =
            Users::parse("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nbad\nwww:x:33:33::/:\n");
        assert_eq!(users.name(0), "root");
        assert_eq!(users.name(33), "www");
        assert_eq!(users.name(4711), "4711");
        assert_eq!(users.uid("www").unwrap(), 33);
        assert_eq!(users.uid("toor").unwrap(), 0);
        assert_eq!(users.uid("4711").unwrap(), 4711);
        assert_eq!(
            users.uid("nobody").unwrap_err().to_string(),
            "user 'nobody' does not exist"
        );
    }
}
