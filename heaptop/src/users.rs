// SPDX-License-Identifier: GPL-2.0-only

//! Names of users, by /etc/passwd alone: a static program has no name services.

use std::collections::HashMap;
use std::fs;

/// What is known of users.
#[derive(Debug, Default)]
pub(crate) struct Users {
    names: HashMap<u32, String>,
}

impl Users {
    /// Those of this machine; none if there is no list.
    pub(crate) fn read() -> Self {
        Self::parse(&String::from_utf8_lossy(
            &fs::read("/etc/passwd").unwrap_or_default(),
        ))
    }

    fn parse(passwd: &str) -> Self {
        let mut users = Self::default();
        for line in passwd.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(Ok(uid))) = (fields.next(), fields.nth(1).map(str::parse)) {
                // The first of several names of a number is the one, as for getpwuid(3).
                users.names.entry(uid).or_insert_with(|| name.to_string());
            }
        }
        users
    }

    /// The name of a user, or the number if there is none.
    pub(crate) fn name(&self, uid: u32) -> String {
        self.names.get(&uid).cloned().unwrap_or(uid.to_string())
    }

    /// The number of a user who is given by name or number.
    pub(crate) fn uid(&self, user: &str) -> Result<u32, String> {
        self.names
            .iter()
            .find(|(_, name)| *name == user)
            .map(|(uid, _)| *uid)
            .or_else(|| user.parse().ok())
            .ok_or_else(|| format!("user '{user}' does not exist"))
    }
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
        assert_eq!(users.uid("www"), Ok(33));
        assert_eq!(users.uid("4711"), Ok(4711));
        assert_eq!(
            users.uid("nobody"),
            Err("user 'nobody' does not exist".into())
        );
    }
}
