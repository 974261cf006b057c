//! The places of one operation: it is written once, for `/event-types/…/webhook/…`, and registered under every name
//! that people know it by.

use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::api::Api;

/// Another name of operations: what it replaces in their paths and in their operation ids.
struct Alias {
    path: (&'static str, &'static str),
    operation_id: (&'static str, &'static str),
    tag: Option<&'static str>,
}

const TRIGGERS: Alias = Alias {
    path: ("/api/v1/event-types", "/api/v1/triggers"),
    operation_id: ("EventType", "Trigger"),
    tag: Some("triggers"),
};

/// Verbs stand behind either spelling.
const WEBHOOKS: Alias = Alias { path: ("/webhook/", "/webhooks/"), operation_id: ("Webhook", "Webhooks"), tag: None };

/// Registers operations at all of their places.
pub(crate) fn everywhere(routes: impl IntoIterator<Item = UtoipaMethodRouter<Api>>) -> OpenApiRouter<Api> {
    let mut router = OpenApiRouter::default();
    for one in routes {
        let has_verb = one.1.paths.keys().any(|path| path.contains(WEBHOOKS.path.0));
        let spellings = if has_verb { vec![also(&one, &WEBHOOKS), one] } else { vec![one] };
        for one in spellings {
            router = router.routes(also(&one, &TRIGGERS)).routes(one);
        }
    }
    router
}

/// The same operations under another name.
fn also((schemas, paths, methods): &UtoipaMethodRouter<Api>, alias: &Alias) -> UtoipaMethodRouter<Api> {
    let mut renamed = paths.clone();
    renamed.paths = std::mem::take(&mut renamed.paths)
        .into_iter()
        .map(|(path, mut item)| {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let (from, to) = alias.operation_id;
                operation.operation_id = operation.operation_id.take().map(|id| id.replace(from, to));
                if let Some(tag) = alias.tag {
                    operation.tags = Some(vec![tag.to_owned()]);
                }
            }
            let (from, to) = alias.path;
            (path.replace(from, to), item)
        })
        .collect();
    (schemas.clone(), renamed, methods.clone())
}
