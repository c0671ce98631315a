//! What every operation has beside its handler: its errors and its scope in the documentation, the question whether its
//! caller may do this, known query parameters only, and errors in our own words.

use std::collections::HashMap;

use poem::{Endpoint, EndpointExt, Request, Response, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, MetaParamIn, MetaSecurityScheme, Registry},
    types::Type,
};

use super::{
    access::{Gate, Guarded, Need, need},
    edge::AskedPath,
    failures,
    problem::{self, Problem},
    shape::Shape,
};
use crate::{
    domain::options::unknown,
    error::{Error, Result},
};

/// How clients show who they are, in the documentation.
const SCHEME: &str = "token";

/// An API with what every operation has; without a gate it is one on paper.
pub(super) struct Documented<T>(pub T, pub Option<Gate>);

type Table = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl<T: OpenApi> OpenApi for Documented<T> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = T::meta();
        let paths = apis.iter_mut().flat_map(|api| &mut api.paths);
        for operation in paths.flat_map(|path| &mut path.operations) {
            let id = operation.operation_id.unwrap_or_default();
            operation.responses.responses.extend(failures::of(id));
            if need(id) != Need::Nothing {
                operation.security.push(HashMap::from([(SCHEME, Vec::new())]));
            }
        }
        apis
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        Problem::register(registry);
        let description = "An access token (`trw_…`), here or as `X-API-Key`; needed where `auth.mode` says so. \
             / 访问令牌（`trw_…`），也可用 `X-API-Key` 头；是否需要取决于 `auth.mode`。";
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some(description),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme(SCHEME, scheme);
    }

    fn add_routes(self, table: &mut Table) {
        let Self(api, gate) = self;
        let mut own = Table::new();
        api.add_routes(&mut own);
        for (path, methods) in own {
            let checked = methods.into_iter().map(|(method, endpoint)| {
                let Facts { operation, query, names } = facts::<T>(&path, &method);
                // The clients of other systems send what they always sent.
                let query = (Shape::of(&path) == Shape::Problem).then_some(query);
                let (gate, guarded) = (gate.clone(), Guarded::of(operation, &path));
                (method, Checked { endpoint, gate, guarded, query, names }.boxed())
            });
            table.entry(path.clone()).or_default().extend(checked);
        }
    }
}

/// What the documentation knows of an operation.
struct Facts {
    operation: &'static str,
    /// The names of its query parameters.
    query: Vec<String>,
    /// The names of its path's parameters, in order.
    names: Vec<String>,
}

fn facts<T: OpenApi>(path: &str, method: &Method) -> Facts {
    // In the router the parameters of a path are numbered, so only the shape can be compared.
    let shape = |path: &str| {
        path.split('/').map(|s| if s.starts_with([':', '{']) { "{}" } else { s }.to_owned()).collect::<Vec<_>>()
    };
    let apis = T::meta();
    let found = apis.iter().flat_map(|api| &api.paths).filter(|found| shape(&found.path) == shape(path));
    let operation = found.flat_map(|found| &found.operations).find(|operation| operation.method == *method);
    let names = |place: MetaParamIn| {
        let params = operation.iter().flat_map(|operation| &operation.params);
        params.filter(|param| param.in_type == place).map(|param| param.name.clone()).collect()
    };
    let id = operation.as_ref().and_then(|operation| operation.operation_id).unwrap_or_default();
    Facts { operation: id, query: names(MetaParamIn::Query), names: names(MetaParamIn::Path) }
}

/// One operation.
struct Checked {
    endpoint: BoxEndpoint<'static>,
    gate: Option<Gate>,
    guarded: Guarded,
    /// The query's parameters; none when any may stand there.
    query: Option<Vec<String>>,
    names: Vec<String>,
}

impl Endpoint for Checked {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.data::<AskedPath>().map(|asked| asked.0.clone());
        let answer = self.answer(request).await;
        Ok(answer.unwrap_or_else(|error| problem::answer(&error, path.as_deref())))
    }
}

impl Checked {
    async fn answer(&self, mut request: Request) -> Result<Response> {
        if let Some(gate) = &self.gate {
            gate.pass(self.guarded, &mut request).await?;
        }
        if let Some(error) = self.refused(&request) {
            return Err(error);
        }
        self.endpoint.call(request).await.map_err(|error| problem::from_poem(error, &self.names))
    }

    /// The error for a query parameter that this operation does not know.
    fn refused(&self, request: &Request) -> Option<Error> {
        let known = self.query.as_ref()?;
        let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let (name, _) = query.into_iter().find(|(name, _)| !name.is_empty() && !is_known(name))?;
        Some(unknown("parameter", &name, known.iter().map(String::as_str)))
    }
}
