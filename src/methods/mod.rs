//! The methods of a client, one file per noun. Each file is a list; the macro writes what the methods have in common in
//! the form that keeps the addon small: a plain function that spawns one boxed future.

mod conversation;
mod friend;
mod message;
mod session;
mod user;

/// `name(param: Type) ;` becomes a method that takes the JSON text of its parameter, an operation id and a
/// cancellation id, and returns a promise of the answer text. Without a parameter the text is ignored.
macro_rules! methods {
    ($($(#[doc = $doc:literal])* $name:ident ($($param:ident: $kind:ty)?);)*) => {
        #[napi_derive::napi]
        impl NativeClient {
            $(
                #[napi(ts_return_type = "Promise<string>")]
                pub fn $name<'env>(
                    &self,
                    env: &'env napi::Env,
                    params: String,
                    operation_id: String,
                    cancel: u32,
                ) -> napi::Result<napi::bindgen_prelude::PromiseRaw<'env, String>> {
                    let client = self.state.client();
                    let work: $crate::answer::Work = Box::pin(async move {
                        let client = client?;
                        $(let $param: $kind = $crate::answer::parse(&params)?;)?
                        let _ = &params;
                        $crate::answer::done(client.$name($($param)?).await)
                    });
                    env.spawn_future(self.state.clone().answer(stringify!($name), operation_id, cancel, work))
                }
            )*
        }
    };
}
use methods;
