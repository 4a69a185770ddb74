/// The life of one log, and what of it is still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// A name that no other log ever has.
    pub(crate) name: String,
    /// Changes up to and including this offset are gone.
    pub(crate) trimmed: i64,
    /// The offset of the newest change.
    pub(crate) newest: i64,
}

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// With what comes from now on.
    Now,
    /// With what came after this offset.
    After(i64),
    /// With word that something was missed and cannot be told any more.
    Reset,
}

impl Epoch {
    /// The id of the change at `offset`.
    pub(crate) fn id(&self, offset: i64) -> String {
        format!("{}:{offset}", self.name)
    }
}

/// Where a stream of a client begins that was told `last` before.
pub(crate) fn resume(epoch: &Epoch, last: Option<&str>) -> Resume {
    let Some(last) = last else { return Resume::Now };
    let offset = last.split_once(':').filter(|(name, _)| *name == epoch.name);
    match offset.and_then(|(_, offset)| offset.parse::<i64>().ok()) {
        Some(offset) if (epoch.trimmed..=epoch.newest).contains(&offset) => Resume::After(offset),
        // Another log, one that was restored to an earlier state, or a gap that is gone.
        _ => Resume::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_never_silent() {
        let epoch = Epoch { name: "e1".to_owned(), trimmed: 10, newest: 20 };
        for (last, begin) in [
            (None, Resume::Now),
            (Some("e1:10"), Resume::After(10)),
            (Some("e1:20"), Resume::After(20)),
            (Some("e1:9"), Resume::Reset),
            (Some("e1:21"), Resume::Reset),
            (Some("e2:15"), Resume::Reset),
            (Some("15"), Resume::Reset),
            (Some(""), Resume::Reset),
            (Some("e1:-1"), Resume::Reset),
            (Some("e1:x"), Resume::Reset),
        ] {
            assert_eq!(resume(&epoch, last), begin, "{last:?}");
        }
    }

    #[test]
    fn what_was_told_can_be_given_back() {
        let epoch = Epoch { name: "e1".to_owned(), trimmed: 0, newest: 7 };
        assert_eq!(resume(&epoch, Some(&epoch.id(7))), Resume::After(7));
    }
}
