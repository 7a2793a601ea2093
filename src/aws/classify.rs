//! What AWS's error codes mean.
//!
//! **Invariant:** pure. A code that is not known is never guessed from its message alone.

use super::error::Kind;

/// The kind of a code. The message is read only where one code stands for several kinds.
pub(super) fn kind_of(code: &str, message: &str, status: Option<u16>) -> Kind {
    // Some services put a namespace before the code, or a URL after it.
    let code = code.rsplit('#').next().unwrap_or(code).split(':').next().unwrap_or(code);
    told_apart_by_message(code, message).or_else(|| exact(code)).or_else(|| by_shape(code)).unwrap_or(match status {
        Some(500..) => Kind::Unavailable,
        Some(429) => Kind::Throttled,
        _ => Kind::Unexpected,
    })
}

/// Codes that mean different things with different messages.
fn told_apart_by_message(code: &str, message: &str) -> Option<Kind> {
    match code {
        // Route 53 reports every fault of a batch under one code.
        "InvalidChangeBatch" if message.contains("but it was not found") => Some(Kind::NotFound),
        "InvalidChangeBatch" if message.contains("but it already exists") => Some(Kind::AlreadyExists),
        // A private DNS name that a hosted zone or another endpoint serves already.
        "InvalidParameter" if message.contains("conflicting DNS domain") => Some(Kind::Conflict),
        // SageMaker's capitals differ from object to object.
        "ResourceInUse" if message.to_ascii_lowercase().contains("already exists") => Some(Kind::AlreadyExists),
        // SageMaker's answer to deleting an app that is gone.
        "ValidationException" if message.contains("has already been deleted") => Some(Kind::NotFound),
        "ValidationException" if message.contains("automatically deleted") => Some(Kind::NotFound),
        // Resolver: "Cannot delete resolver endpoint unless its related resolver rules are deleted".
        "InvalidRequestException" if message.contains("RSLVR-00600") => Some(Kind::InUse),
        "AuthFailure" if message.contains("credentials") => Some(Kind::Credentials),
        _ => None,
    }
}

fn exact(code: &str) -> Option<Kind> {
    Some(match code {
        "NoSuchEntity"
        | "NoSuchEntityException"
        | "NoSuchHostedZone"
        | "NoSuchChange"
        | "ResourceNotFound"
        | "UnknownResourceException"
        | "VPCAssociationNotFound"
        | "VPCAssociationAuthorizationNotFound" => Kind::NotFound,

        "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "HostedZoneAlreadyExists"
        | "ResourceExistsException"
        | "RouteAlreadyExists" => Kind::AlreadyExists,

        "ConflictException"
        | "ConflictingDomainExists"
        | "ConcurrentModification"
        | "ConcurrentModificationException"
        | "IncorrectState"
        | "InvalidState"
        | "IdempotentParameterMismatch"
        | "IdempotentParameterMismatchException"
        | "ResourceUnavailableException"
        | "EntityTemporarilyUnmodifiable"
        | "EntityTemporarilyUnmodifiableException" => Kind::Conflict,

        "DependencyViolation"
        | "ResourceInUse"
        | "ResourceInUseException"
        | "HostedZoneNotEmpty"
        | "DeleteConflict"
        | "DeleteConflictException"
        | "LastVPCAssociation" => Kind::InUse,

        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorizedException"
        | "UnauthorizedAccess"
        | "AuthFailure"
        | "OptInRequired" => Kind::AccessDenied,

        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "SlowDown"
        | "PriorRequestNotComplete" => Kind::Throttled,

        "InsufficientFreeAddressesInSubnet"
        | "ServiceQuotaExceededException"
        | "LimitsExceeded"
        | "TooManyHostedZones"
        | "TooManyVPCAssociationAuthorizations" => Kind::LimitExceeded,

        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestExpired"
        | "InvalidIdentityToken"
        | "InvalidIdentityTokenException"
        | "IDPRejectedClaim" => Kind::Credentials,

        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceErrorException"
        | "ServerInternalException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "Unavailable"
        | "RequestTimeout"
        | "ServiceFailure"
        | "ServiceFailureException" => Kind::Unavailable,

        "ValidationException"
        | "ValidationError"
        | "MissingParameter"
        | "MalformedArnException"
        | "MalformedPolicyDocument"
        | "MalformedPolicyDocumentException"
        | "OperationNotPermittedException"
        | "UnsupportedOperation"
        | "Unsupported"
        | "UnknownParameter"
        | "PublicZoneVPCAssociation" => Kind::Invalid,

        _ => return None,
    })
}

/// Families of codes that share an ending or a beginning.
fn by_shape(code: &str) -> Option<Kind> {
    if code.ends_with(".NotFound") || code.ends_with("NotFoundException") {
        Some(Kind::NotFound)
    } else if code.ends_with(".Duplicate") {
        Some(Kind::AlreadyExists)
    } else if code.ends_with(".InUse") {
        Some(Kind::InUse)
    } else if code.contains("LimitExceeded") {
        Some(Kind::LimitExceeded)
    } else if code.starts_with("Invalid") || code.ends_with(".Malformed") {
        Some(Kind::Invalid)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, message: &str, kind: Kind) {
        assert_eq!(kind_of(code, message, Some(400)), kind, "{code}: {message}");
    }

    #[test]
    fn what_is_gone_is_recognised_in_every_service() {
        for code in [
            "InvalidVpcEndpointId.NotFound",
            "InvalidGroup.NotFound",
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidVpcID.NotFound",
            "ResourceNotFound",
            "ResourceNotFoundException",
            "NoSuchHostedZone",
            "NoSuchEntity",
            "com.amazonaws.sagemaker#ResourceNotFound",
        ] {
            check(code, "", Kind::NotFound);
        }
    }

    #[test]
    fn a_quota_is_not_taken_for_throttling() {
        check("VpcEndpointLimitExceeded", "", Kind::LimitExceeded);
        check("ResourceLimitExceeded", "", Kind::LimitExceeded);
        check("LimitExceeded", "", Kind::LimitExceeded);
        check("RequestLimitExceeded", "", Kind::Throttled);
    }

    #[test]
    fn one_code_of_route_53_means_three_things() {
        check("InvalidChangeBatch", "[Tried to delete x, but it was not found]", Kind::NotFound);
        check("InvalidChangeBatch", "[Tried to create x, but it already exists]", Kind::AlreadyExists);
        check("InvalidChangeBatch", "[ARRDATAIllegalIPv4Address]", Kind::Invalid);
    }

    #[test]
    fn a_name_that_is_taken_is_told_from_an_object_in_use() {
        let taken = "Resource Already Exists: UserProfile [ana] of Domain [d-1].";
        check("ResourceInUse", taken, Kind::AlreadyExists);
        let used = "Unable to delete Domain [d-1] because UserProfile(s) are associated with it.";
        check("ResourceInUse", used, Kind::InUse);
    }

    #[test]
    fn a_private_dns_conflict_is_a_conflict() {
        let message = "private-dns-enabled cannot be set because there is already a conflicting DNS domain for x";
        check("InvalidParameter", message, Kind::Conflict);
        check("InvalidParameter", "the zone is not supported", Kind::Invalid);
    }

    #[test]
    fn an_unknown_code_goes_by_the_http_status() {
        assert_eq!(kind_of("Odd", "", Some(500)), Kind::Unavailable);
        assert_eq!(kind_of("Odd", "", Some(429)), Kind::Throttled);
        assert_eq!(kind_of("Odd", "", Some(400)), Kind::Unexpected);
    }

    #[test]
    fn a_resolver_endpoint_with_rules_is_in_use() {
        check("InvalidRequestException", "[RSLVR-00600] Cannot delete resolver endpoint unless …", Kind::InUse);
        check("InvalidRequestException", "[RSLVR-00400] …", Kind::Invalid);
    }
}
