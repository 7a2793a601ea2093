//! Starts one step, and records what became of it.
//!
//! **Invariant:** decides nothing; what differs is computed in `plan.rs`.
//! **Invariant:** what AWS has taken is in the outcome, whatever happens after.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::desired::Desired;
use super::plan::{self, Action, Key};
use super::read;
use super::recorded::{Endpoint, Policy, Recorded, says};
use crate::aws::ec2::vpc_endpoint::{
    EndpointChange, EndpointPolicy, find_vpc_endpoint, update_vpc_endpoint, wait_until_available,
};
use crate::aws::iam::attachment::{Principal, attach_policy, detach_policy, list_attachments};
use crate::aws::iam::policy::{
    NewPolicy, create_policy, delete_policy, find_policy, update_policy_document, update_policy_tags,
};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::wait::{Judgement, Pace, retry_while, until};
use crate::aws::{self, AwsError, Clients, Kind, PolicyArn, Service, VpcEndpointId};
use crate::policy::document::Document;
use crate::resources::common::{Fault, Work};
use crate::steps::{Composite, Outcome};

/// The value of the tag that says which part the policy is.
const PART: &str = "policy";
/// How long IAM may take to show everywhere what was just made or changed. The AWS provider waits as long for IAM.
const VISIBLE: Duration = Duration::from_secs(120);
/// How long a policy may stay in use after it was detached.
const RELEASE: Duration = Duration::from_secs(10);
/// How often to look meanwhile.
const PACE: Pace = Pace::millis(0, 1_000, 5_000);

/// One apply of a presign policy.
pub struct Run {
    /// Clients, deadline, ownership.
    pub work: Work,
    /// What is wanted; nothing when everything is to go.
    pub desired: Option<Desired>,
}

/// What is known of a part after a step.
#[derive(Clone, Debug)]
pub enum Part {
    /// The policy; `None` if it is gone.
    Policy(Option<Box<Policy>>),
    /// Whether the principal has it.
    Attachment(bool),
    /// The endpoint whose policy is ours; `None` if it is not any more.
    Endpoint(Option<Endpoint>),
}

type Done = Outcome<Part, Fault>;

impl Composite for Run {
    type Key = Key;
    type Action = Action;
    type Record = Part;
    type Error = Fault;
    type State = Recorded;

    fn start(&self, key: &Key, action: Action, state: &Recorded) -> BoxFuture<'static, Done> {
        let work = self.work.clone();
        match key {
            Key::Policy => self.start_policy(action, state.policy.clone()),
            Key::Attachment(principal) => {
                let arn = arn(state);
                match action {
                    Action::Create | Action::Update => attach(work, arn, principal.clone()).boxed(),
                    Action::Delete => detach(work, arn, principal.clone()).boxed(),
                }
            }
            Key::Endpoint(id) => match self.desired.as_ref().filter(|_| action != Action::Delete) {
                Some(desired) => {
                    let service = desired.endpoints.get(id).expect("only a wanted endpoint is set").clone();
                    let wanted = desired.endpoint_policy(&service).expect(KNOWN).clone();
                    set_endpoint_policy(work, id.clone(), service, wanted).boxed()
                }
                None => reset_endpoint_policy(work, id.clone(), state.endpoints.get(id).cloned()).boxed(),
            },
        }
    }

    fn record(&self, key: &Key, record: Part, state: &mut Recorded) {
        match (key, record) {
            (Key::Policy, Part::Policy(policy)) => state.policy = policy.map(|policy| *policy),
            (Key::Attachment(principal), Part::Attachment(attached)) => state.attached.set(principal, attached),
            (Key::Endpoint(id), Part::Endpoint(Some(endpoint))) => drop(state.endpoints.insert(id.clone(), endpoint)),
            (Key::Endpoint(id), Part::Endpoint(None)) => drop(state.endpoints.remove(id)),
            (key, _) => unreachable!("{key:?} is recorded as what it is"),
        }
    }
}

const KNOWN: &str = "Terraform applies only what is wholly known";

fn arn(state: &Recorded) -> PolicyArn {
    state.policy.as_ref().expect("an attachment comes after its policy, and goes before it").arn.clone()
}

impl Run {
    fn start_policy(&self, action: Action, policy: Option<Policy>) -> BoxFuture<'static, Done> {
        let work = self.work.clone();
        match (self.desired.clone().filter(|_| action != Action::Delete), policy) {
            (Some(desired), Some(policy)) => change_policy(work, desired, policy, "update the managed policy").boxed(),
            (Some(desired), None) => make_policy(work, desired).boxed(),
            (None, Some(policy)) => remove_policy(work, policy).boxed(),
            (None, None) => async { Outcome::done(Part::Policy(None)) }.boxed(),
        }
    }
}

async fn make_policy(work: Work, desired: Desired) -> Done {
    let what = "create the managed policy";
    let document = desired.policy().expect(KNOWN);
    let new = NewPolicy {
        name: desired.name.clone(),
        path: desired.path.clone(),
        description: desired.description.clone(),
        document: document.to_json(),
        tags: work.tags(&desired.tags, PART),
    };
    let made = match create_policy(&work.clients, &new).await {
        Ok(made) => Policy {
            arn: made.arn,
            policy_id: made.policy_id,
            name: new.name,
            path: new.path,
            description: new.description,
            document: new.document,
            ready: false,
            tags: desired.tags.clone(),
        },
        Err(error) => match made_before(&work, &new, error).await {
            Ok(made) => made,
            Err(error) => return Outcome::failed(Fault::new(what, error)),
        },
    };
    change_policy(work, desired, made, what).await
}

/// A policy of this name that carries this resource's own tags was made before it could be recorded: by a run that was
/// killed, or by a request whose answer was lost. IAM takes no idempotency token.
async fn made_before(work: &Work, new: &NewPolicy, error: AwsError) -> Result<Policy, AwsError> {
    if error.kind != Kind::AlreadyExists {
        return Err(error);
    }
    let Some(account) = work.clients.account_id() else {
        return Err(taken(error));
    };
    let partition = work.clients.partition().name;
    let arn = PolicyArn::from(format!("arn:{partition}:iam::{account}:policy{}{}", new.path, new.name));
    match find_policy(&work.clients, &arn).await? {
        Some(found) if owner_and_part(&found.tags) == Some((work.owner.as_str(), PART)) => {
            Ok(read::policy(found, &work.clients))
        }
        Some(_) | None => Err(taken(error)),
    }
}

fn taken(error: AwsError) -> AwsError {
    let message = format!(
        "{} Names of policies are unique in an account, whatever their path. Choose another name, or import the policy that is there",
        error.message
    );
    AwsError { message, ..error }
}

async fn change_policy(work: Work, desired: Desired, mut policy: Policy, what: &'static str) -> Done {
    let result = adjust(&work, &desired, &mut policy).await;
    Outcome::after(Part::Policy(Some(Box::new(policy))), result.map_err(Fault::of(what)))
}

/// Changes what differs, and keeps `policy` true at every step.
async fn adjust(work: &Work, desired: &Desired, policy: &mut Policy) -> Result<(), AwsError> {
    update_policy_tags(&work.clients, &policy.arn, &diff(&policy.tags, &desired.tags)).await?;
    policy.tags = desired.tags.clone();
    if let Some(wanted) = desired.policy()
        && !plan::is_document_as_wanted(desired, policy)
    {
        let text = wanted.to_json();
        set_document(&work.clients, &policy.arn, &text).await?;
        policy.document = text;
        policy.ready = false;
    }
    if !policy.ready {
        wait_until_shown(work, policy).await?;
        policy.ready = true;
    }
    Ok(())
}

/// A new version whose answer was lost exists all the same, and may have taken the last place.
async fn set_document(clients: &Clients, arn: &PolicyArn, document: &str) -> Result<(), AwsError> {
    match update_policy_document(clients, arn, document).await {
        Err(error) if error.kind == Kind::LimitExceeded => update_policy_document(clients, arn, document).await,
        other => other,
    }
    .map(drop)
}

/// IAM answers from several places, and not all of them know at once. Going on too early would make the next look
/// find a change that nobody made, or no policy at all.
async fn wait_until_shown(work: &Work, policy: &Policy) -> Result<(), AwsError> {
    let call = aws::Call::new(Service::Iam, "GetPolicy", format!("policy {}", policy.arn));
    let wanted = Document::parse(&policy.document).ok();
    until(&call, "shown as it was made", PACE, &work.patience.at_most(VISIBLE), || async {
        Ok(match find_policy(&work.clients, &policy.arn).await? {
            None => Judgement::Pending("no such policy".to_owned()),
            Some(found) if wanted.as_ref().is_none_or(|wanted| says(&found.document, wanted)) => Judgement::Ready(()),
            Some(found) => Judgement::Pending(format!("version {}", found.default_version_id)),
        })
    })
    .await
}

async fn remove_policy(work: Work, policy: Policy) -> Done {
    // What was just detached may still count for a moment.
    let in_use = |error: &AwsError| error.kind == Kind::InUse;
    let mut result =
        retry_while(in_use, RELEASE, PACE, &work.patience, || delete_policy(&work.clients, &policy.arn)).await;
    if let Err(error) = &mut result
        && error.kind == Kind::InUse
    {
        // AWS does not say who has it.
        if let Ok(others) = list_attachments(&work.clients, &policy.arn).await
            && !others.is_empty()
        {
            let others: Vec<_> = others.iter().map(ToString::to_string).collect();
            error.message =
                format!("{} It is attached by others to {}. Detach it there first", error.message, others.join(", "));
        }
    }
    match result {
        Ok(()) => Outcome::done(Part::Policy(None)),
        Err(error) => Outcome::failed(Fault::new("delete the managed policy", error)),
    }
}

async fn attach(work: Work, arn: PolicyArn, principal: Principal) -> Done {
    let what = format!("attach the policy to {principal}");
    // The policy, or a principal that was made in the same run, may not be known everywhere yet.
    let attached = retry_while(AwsError::is_not_found, VISIBLE, PACE, &work.patience, || {
        attach_policy(&work.clients, &arn, &principal)
    });
    if let Err(mut error) = attached.await {
        if error.kind == Kind::LimitExceeded {
            error.message = format!(
                "{} That many managed policies can be attached to one role, user or group. Detach one from {principal} that is not needed, put what it says into another one, or ask AWS for a higher quota",
                error.message
            );
        }
        return Outcome::failed(Fault::new(what, error));
    }
    let call = aws::Call::new(Service::Iam, "ListEntitiesForPolicy", format!("policy {arn}"));
    let patience = work.patience.at_most(VISIBLE);
    let shown = until(&call, "shown as attached", PACE, &patience, || async {
        let has_it = list_attachments(&work.clients, &arn).await?.contains(&principal);
        Ok(if has_it { Judgement::Ready(()) } else { Judgement::Pending(format!("{principal} is not listed")) })
    })
    .await;
    Outcome::after(Part::Attachment(true), shown.map_err(Fault::of(what)))
}

async fn detach(work: Work, arn: PolicyArn, principal: Principal) -> Done {
    match detach_policy(&work.clients, &arn, &principal).await {
        Ok(()) => Outcome::done(Part::Attachment(false)),
        Err(error) => Outcome::failed(Fault::new(format!("detach the policy from {principal}"), error)),
    }
}

async fn set_endpoint_policy(work: Work, id: VpcEndpointId, service: String, wanted: Document) -> Done {
    let what = format!("set the policy of {id}");
    let document = wanted.to_json();
    let change =
        EndpointChange { policy: Some(EndpointPolicy::Document(document.clone())), ..EndpointChange::default() };
    if let Err(error) = update_vpc_endpoint(&work.clients, &id, &change).await {
        return Outcome::failed(Fault::new(what, error));
    }
    let part = Part::Endpoint(Some(Endpoint { service, document: Some(document) }));
    let available = wait_until_available(&work.clients, &id, &work.patience).await;
    Outcome::after(part, available.map(drop).map_err(Fault::of(what)))
}

/// Sets the policy back, unless it is not the one that was last seen: then somebody else has taken charge of it, and
/// full access is not ours to give any more.
async fn reset_endpoint_policy(work: Work, id: VpcEndpointId, recorded: Option<Endpoint>) -> Done {
    let result = async {
        let Some(recorded) = recorded else { return Ok(()) };
        let Some(found) = find_vpc_endpoint(&work.clients, &id).await? else { return Ok(()) };
        if !same_policy(found.policy.as_deref(), recorded.document.as_deref()) {
            return Ok(());
        }
        let change = EndpointChange { policy: Some(EndpointPolicy::FullAccess), ..EndpointChange::default() };
        update_vpc_endpoint(&work.clients, &id, &change).await
    };
    match result.await {
        Err(error) if !error.is_not_found() => {
            Outcome::failed(Fault::new(format!("set the policy of {id} back to full access"), error))
        }
        Ok(()) | Err(_) => Outcome::done(Part::Endpoint(None)),
    }
}

fn same_policy(one: Option<&str>, other: Option<&str>) -> bool {
    one == other
        || one.zip(other).is_some_and(|(one, other)| Document::parse(other).is_ok_and(|other| says(one, &other)))
}
