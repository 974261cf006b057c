//! What a refused address is for.

/// What a refused address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Hands out the machine's identity and credentials.
    CloudMetadata,
    /// Hands out the credentials of a container.
    ContainerCredentials,
    /// The cloud's own name, time or agent service.
    CloudService,
    /// All zeros.
    Unspecified,
    /// This host on this network.
    ThisNetwork,
    /// This machine.
    Loopback,
    /// A network of one's own.
    Private,
    /// Between a provider and its customers (carrier-grade NAT).
    Shared,
    /// This link only.
    LinkLocal,
    /// Set aside for protocols of the IETF.
    ProtocolAssignment,
    /// For examples in documents.
    Documentation,
    /// For measuring network devices.
    Benchmarking,
    /// A sink for reverse look-ups of private addresses.
    As112,
    /// An anycast relay of a transition or multicast technology.
    Relay,
    /// Many receivers at once.
    Multicast,
    /// Every receiver on the link.
    Broadcast,
    /// Kept for a future that has not come.
    Reserved,
    /// IPv6's private range.
    UniqueLocal,
    /// IPv6's former private range.
    SiteLocal,
    /// Thrown away on arrival.
    DiscardOnly,
    /// A tunnel through whatever server the address names.
    Teredo,
    /// A translation prefix that means something else on every network.
    LocalTranslation,
    /// Segment identifiers of a routing domain.
    SegmentRouting,
    /// Outside of the range that IANA hands out for the Internet.
    NotGlobalUnicast,
}

impl AddressKind {
    /// Names the kind in a sentence: "a private address".
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::CloudMetadata => "a cloud metadata address",
            Self::ContainerCredentials => "a container credential address",
            Self::CloudService => "an address of the cloud's own services",
            Self::Unspecified => "the unspecified address",
            Self::ThisNetwork => "an address of this network",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::Shared => "a shared address of a provider",
            Self::LinkLocal => "a link-local address",
            Self::ProtocolAssignment => "an address of a protocol assignment",
            Self::Documentation => "a documentation address",
            Self::Benchmarking => "a benchmarking address",
            Self::As112 => "an AS112 address",
            Self::Relay => "a relay address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Reserved => "a reserved address",
            Self::UniqueLocal => "a unique local address",
            Self::SiteLocal => "a site-local address",
            Self::DiscardOnly => "a discard-only address",
            Self::Teredo => "a Teredo address",
            Self::LocalTranslation => "a local-use translation address",
            Self::SegmentRouting => "a segment routing address",
            Self::NotGlobalUnicast => "an address outside of global unicast",
        }
    }

    /// The stable code of the kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::CloudMetadata => "cloud_metadata",
            Self::ContainerCredentials => "container_credentials",
            Self::CloudService => "cloud_service",
            Self::Unspecified => "unspecified",
            Self::ThisNetwork => "this_network",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared",
            Self::LinkLocal => "link_local",
            Self::ProtocolAssignment => "protocol_assignment",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::As112 => "as112",
            Self::Relay => "relay",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Reserved => "reserved",
            Self::UniqueLocal => "unique_local",
            Self::SiteLocal => "site_local",
            Self::DiscardOnly => "discard_only",
            Self::Teredo => "teredo",
            Self::LocalTranslation => "local_translation",
            Self::SegmentRouting => "segment_routing",
            Self::NotGlobalUnicast => "not_global_unicast",
        }
    }

    /// Tells whether the address hands out credentials, so that no setting of a deployment opens it.
    #[must_use]
    pub fn hands_out_credentials(self) -> bool {
        matches!(self, Self::CloudMetadata | Self::ContainerCredentials)
    }
}
