//! What every operation has beside its handler: its errors in the documentation, known query parameters only, and errors
//! in our own words.

use std::collections::HashMap;

use poem::{Endpoint, EndpointExt, Request, Response, endpoint::BoxEndpoint, http::Method};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, MetaParamIn, Registry},
    types::Type,
};

use super::{
    edge::AskedPath,
    failures,
    problem::{self, Problem},
    shape::Shape,
};
use crate::domain::options::unknown;

/// An API with what every operation has.
pub(super) struct Documented<T>(pub T);

type Table = HashMap<String, HashMap<Method, BoxEndpoint<'static>>>;

impl<T: OpenApi> OpenApi for Documented<T> {
    fn meta() -> Vec<MetaApi> {
        let mut apis = T::meta();
        let paths = apis.iter_mut().flat_map(|api| &mut api.paths);
        for operation in paths.flat_map(|path| &mut path.operations) {
            operation.responses.responses.extend(failures::of(operation.operation_id.unwrap_or_default()));
        }
        apis
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
        Problem::register(registry);
    }

    fn add_routes(self, table: &mut Table) {
        let mut own = Table::new();
        self.0.add_routes(&mut own);
        for (path, methods) in own {
            let checked = methods.into_iter().map(|(method, endpoint)| {
                let (query, names) = parameters::<T>(&path, &method);
                // The clients of other systems send what they always sent.
                let query = (Shape::of(&path) == Shape::Problem).then_some(query);
                (method, Checked { endpoint, query, names }.boxed())
            });
            table.entry(path.clone()).or_default().extend(checked);
        }
    }
}

/// The names of an operation's query parameters, and those of its path, in order.
fn parameters<T: OpenApi>(path: &str, method: &Method) -> (Vec<String>, Vec<String>) {
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
    (names(MetaParamIn::Query), names(MetaParamIn::Path))
}

/// One operation.
struct Checked {
    endpoint: BoxEndpoint<'static>,
    /// The query's parameters; none when any may stand there.
    query: Option<Vec<String>>,
    names: Vec<String>,
}

impl Endpoint for Checked {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.data::<AskedPath>().map(|asked| asked.0.clone());
        let answer = match self.refused(&request) {
            Some(error) => Err(error),
            None => self.endpoint.call(request).await.map_err(|error| problem::from_poem(error, &self.names)),
        };
        Ok(answer.unwrap_or_else(|error| problem::answer(&error, path.as_deref())))
    }
}

impl Checked {
    /// The error for a query parameter that this operation does not know.
    fn refused(&self, request: &Request) -> Option<crate::error::Error> {
        let known = self.query.as_ref()?;
        let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let (name, _) = query.into_iter().find(|(name, _)| !name.is_empty() && !is_known(name))?;
        Some(unknown("parameter", &name, known.iter().map(String::as_str)))
    }
}
