// SPDX-License-Identifier: GPL-2.0-only

//! The cgroup of a process, and the unit of systemd that it belongs to.

/// What in a path is a unit that processes run in; slices only sort them.
const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

/// The path of the unified hierarchy, in the text of /proc/PID/cgroup.
pub(crate) fn unified(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("0::"))
}

/// Is a cgroup that one, or below it?
pub(crate) fn is_in(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Does systemd make cgroups of this name?
pub(crate) fn is_of_systemd(name: &str) -> bool {
    name.ends_with(".slice") || KINDS.iter().any(|kind| name.ends_with(kind))
}

/// The path in the text of /proc/PID/cgroup: that of the unified hierarchy, or where
/// everything is in its root, as with version 1, that of systemd's own.
pub(crate) fn path(text: &str) -> Option<&str> {
    let of = |controllers| {
        text.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            rest.strip_prefix(controllers)?.strip_prefix(':')
        })
    };
    let path = match (of(""), of("name=systemd")) {
        (None | Some("/"), Some(path)) => path,
        (path, _) => path?,
    };
    // It was removed, and the process is still to end.
    Some(path.strip_suffix(" (deleted)").unwrap_or(path))
}

/// The units on a path, as user@1000.service/app.scope: those of a user's manager, or
/// of one in a container, are not those of the same name elsewhere. The path, if there
/// are none.
pub(crate) fn unit(path: &str) -> String {
    let is_unit = |part: &&str| KINDS.iter().any(|kind| part.ends_with(kind));
    let units: Vec<_> = path.split('/').filter(is_unit).collect();
    match units.is_empty() {
        true => path.to_string(),
        false => units.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(path("0::/a.slice/b.service\n"), Some("/a.slice/b.service"));
        assert_eq!(path("3:cpu:/x\n1:name=systemd:/y\n"), Some("/y"));
        assert_eq!(path("1:name=systemd:/y\n0::/\n"), Some("/y"));
        assert_eq!(path("1:name=systemd:/y\n0::/z\n"), Some("/z"));
        assert_eq!(path("0::/a:b (deleted)\n"), Some("/a:b"));
        assert_eq!(path("3:cpu:/x\n"), None);
        assert_eq!(path(""), None);
        assert_eq!(unified("3:cpu:/x\n0::/z\n"), Some("/z"));
        assert_eq!(unified("3:cpu:/x\n"), None);
    }

    #[test]
    fn below() {
        for path in ["/a", "/a/b"] {
            assert!(is_in(path, "/a") && is_in(path, "/"), "{path}");
        }
        for path in ["/", "/ab", "/b/a"] {
            assert!(!is_in(path, "/a"), "{path}");
        }
    }

    #[test]
    fn units() {
        for (path, name) in [
            ("/", "/"),
            ("/init.scope", "init.scope"),
            ("/system.slice/nginx.service", "nginx.service"),
            ("/system.slice/nginx.service/workers", "nginx.service"),
            (
                "/user.slice/user-1000.slice/session-2.scope",
                "session-2.scope",
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
                "user@1000.service/a.service",
            ),
            ("/docker/0123abc", "/docker/0123abc"),
        ] {
            assert_eq!(unit(path), name);
        }
    }
}
