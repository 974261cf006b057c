//! The bench: a case, and how many judgements are left for it. Variations are judged here, by the row's own engine.

use std::cell::Cell;

use http::HeaderMap;
use secrecy::SecretString;

use super::cause::{Cause, SecretOf};
use super::{Candidate, Case, time};
use crate::domain::refusal::Refusal;
use crate::scheme::Scheme;
use crate::scheme::place::{At, Place};
use crate::scheme::settings::Settings;
use crate::scheme::signature::{Each, Keys, Signature};
use crate::scheme::view::{Request, View};

/// The most judgements of one case, each with one secret.
const MAX_JUDGEMENTS: u32 = 400;
/// The largest body that is judged more than once, in bytes.
const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The largest body that is written anew in every way, in bytes.
const SMALL_BODY_BYTES: usize = 64 * 1024;

/// A case on the bench.
pub(super) struct Bench<'c> {
    pub(super) case: &'c Case<'c>,
    /// The row without its haste: a signature that is too old is right all the same.
    pub(super) scheme: Scheme,
    pub(super) own: Vec<&'c SecretString>,
    left: Cell<u32>,
}

/// What is judged: the case, but for what was varied.
#[derive(Clone, Copy)]
pub(super) struct Trial<'t> {
    pub(super) scheme: &'t Scheme,
    pub(super) request: Request<'t>,
    pub(super) secrets: &'t [&'t SecretString],
    pub(super) settings: &'t Settings,
}

/// What was found.
pub(super) struct Found {
    pub(super) cause: Cause,
    pub(super) also: Option<Cause>,
}

impl From<Cause> for Found {
    fn from(cause: Cause) -> Self {
        Self { cause, also: None }
    }
}

impl Found {
    /// Adds that the signature is too old as well, if nothing else was added.
    pub(super) fn with_time(mut self, case: &Case<'_>) -> Self {
        if self.also.is_none() {
            self.also = time::beyond(case);
        }
        self
    }
}

impl<'c> Bench<'c> {
    pub(super) fn new(case: &'c Case<'c>) -> Self {
        let own = case.secrets.iter().filter(|candidate| candidate.of == SecretOf::Own);
        Self {
            case,
            scheme: relaxed(case.scheme),
            own: own.map(|candidate| candidate.secret).collect(),
            left: Cell::new(MAX_JUDGEMENTS),
        }
    }

    /// The secrets that are not the webhook's own, the likeliest first.
    pub(super) fn others(&self, most: usize) -> Vec<&'c Candidate<'c>> {
        let all = self.case.secrets.iter().filter(|candidate| candidate.of != SecretOf::Own);
        let mut others: Vec<_> = all.collect();
        others.sort_by_key(|candidate| match candidate.of {
            SecretOf::Own | SecretOf::Previous => 0,
            SecretOf::Given(_) => 1,
            SecretOf::Other(_) => 2,
        });
        others.truncate(most);
        others
    }

    /// How many judgements there were.
    pub(super) fn tried(&self) -> u32 {
        MAX_JUDGEMENTS.saturating_sub(self.left.get())
    }

    /// Tells whether the body is judged more than once.
    pub(super) fn is_in_reach(&self) -> bool {
        self.case.request.body.len() <= MAX_BODY_BYTES
    }

    /// Tells whether the body is written anew in every way.
    pub(super) fn is_small(&self) -> bool {
        self.case.request.body.len() <= SMALL_BODY_BYTES
    }

    /// The row, where it is one of signatures.
    pub(super) fn signature(&self) -> Option<&Signature> {
        match &self.scheme {
            Scheme::Signature(signature) => Some(signature),
            Scheme::Token(_) | Scheme::Jws(_) | Scheme::HttpMessageSignature(_) => None,
        }
    }

    /// Tells whether the proof itself stands in the body.
    pub(super) fn reads_body(&self) -> bool {
        let is_in_body = |place: &Place| matches!(place.at, At::Json(_) | At::Form(_));
        match &self.scheme {
            Scheme::Signature(row) => row.each.is_some() || row.signature.iter().any(is_in_body),
            Scheme::Token(row) => row.each.is_some() || is_in_body(&row.place),
            Scheme::Jws(row) => is_in_body(&row.place),
            Scheme::HttpMessageSignature(_) => false,
        }
    }

    /// Judges the case as a receiver would.
    pub(super) fn verdict(&self) -> Result<(), Refusal> {
        let keys = Keys { secrets: &self.own, settings: self.case.settings, certificate: self.case.certificate };
        self.case.scheme.judge(&View::new(self.case.request), &keys, self.case.now).0
    }

    /// The case as it is, for what is varied to be put in.
    pub(super) fn trial(&self) -> Trial<'_> {
        Trial { scheme: &self.scheme, request: self.case.request, secrets: &self.own, settings: self.case.settings }
    }

    /// Tells whether the proof is right in a variation, whenever it was made. Never when nothing is left.
    pub(super) fn holds(&self, trial: &Trial<'_>) -> bool {
        let cost = u32::try_from(trial.secrets.len().max(1)).unwrap_or(u32::MAX);
        let Some(left) = self.left.get().checked_sub(cost) else { return false };
        self.left.set(left);
        let keys = Keys { secrets: trial.secrets, settings: trial.settings, certificate: self.case.certificate };
        let (result, _) = trial.scheme.judge(&View::new(trial.request), &keys, self.case.now);
        // The time is judged last, so these say that everything else is right.
        matches!(result, Ok(()) | Err(Refusal::SignatureStale | Refusal::SignatureFuture | Refusal::TokenExpired))
    }

    /// Tells whether another row takes the request.
    pub(super) fn with_scheme(&self, scheme: &Scheme) -> bool {
        self.holds(&Trial { scheme, ..self.trial() })
    }

    /// Tells whether another row of signatures takes the request.
    pub(super) fn with_row(&self, row: Signature) -> bool {
        self.with_scheme(&Scheme::Signature(Box::new(row)))
    }

    /// Tells whether other secrets make it right.
    pub(super) fn with_secrets(&self, secrets: &[&SecretString]) -> bool {
        self.holds(&Trial { secrets, ..self.trial() })
    }

    /// Tells whether another body makes it right.
    pub(super) fn with_body(&self, body: &[u8]) -> bool {
        let request = Request { body, ..self.case.request };
        self.holds(&Trial { request, ..self.trial() })
    }

    /// Tells whether other headers make it right.
    pub(super) fn with_headers(&self, headers: &HeaderMap) -> bool {
        let request = Request { headers, ..self.case.request };
        self.holds(&Trial { request, ..self.trial() })
    }
}

/// A row to which no time is too far away.
pub(super) fn relaxed(scheme: &Scheme) -> Scheme {
    let mut scheme = scheme.clone();
    scheme.set_tolerance(u32::MAX);
    scheme
}

/// The list of which a row judges each element.
pub(super) fn each_of(scheme: &Scheme) -> Option<&Each> {
    match scheme {
        Scheme::Signature(row) => row.each.as_ref(),
        Scheme::Token(row) => row.each.as_ref(),
        Scheme::Jws(_) | Scheme::HttpMessageSignature(_) => None,
    }
}

/// Looks at a request from where the JSON places of a row begin: the first element of its list, or the whole.
pub(super) fn at_first<T>(scheme: &Scheme, view: &View<'_>, look: impl FnOnce(&View<'_>) -> T) -> T {
    let elements = each_of(scheme).and_then(|each| each.elements(view).ok());
    match elements.and_then(|elements| elements.first()) {
        Some(element) => look(&view.at(element)),
        None => look(view),
    }
}
