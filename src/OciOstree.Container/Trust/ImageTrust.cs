using OciOstree.Linux;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>
/// Whether the machine's policy lets an image in. What can be told from its name is told before anything is asked; what it is signed by, once its
/// manifest is there and before anything else of it is.
/// </summary>
internal sealed class ImageTrust
{
    private const int ReasonLimit = 5;

    private readonly string path;
    private readonly ImageReference image;
    private readonly SignatureRequirement[] demands;

    private ImageTrust(string path, ImageReference image, SignatureRequirement[] demands) => (this.path, this.image, this.demands) = (path, image, demands);

    /// <summary>Whether it depends on signatures.</summary>
    internal bool NeedsSignatures => demands.Length > 0;

    /// <summary>What the machine's policy says.</summary>
    /// <exception cref="ContainerException">
    /// The policy rejects the image; or it is to be vouched for (<c>ostree-image-signed</c>) and there is no policy, or one that accepts anything
    /// by default.
    /// </exception>
    internal static ImageTrust Of(OstreeImageReference reference) =>
        TrustPolicy.Find() is { } path ? Of(path, reference)
        : reference.Source.RequiresPolicy ? throw new ContainerException("no containers policy.json found: looked at $CONTAINERS_POLICY_JSON, the user's and the system's configuration")
        : new ImageTrust("", reference.Image, []);

    /// <inheritdoc cref="Of(OstreeImageReference)"/>
    /// <param name="path">Of the policy.</param>
    internal static ImageTrust Of(string path, OstreeImageReference reference)
    {
        var policy = TrustPolicy.Load(path);
        if (reference.Source.RequiresPolicy && policy.AcceptsAnythingByDefault)
        {
            throw new ContainerException($"{path} specifies a default of `{PolicyRequirement.AcceptAnything}`; refusing usage");
        }

        var image = reference.Image;
        var requirements = RequirementsFor(path, policy, image);
        foreach (var requirement in requirements)
        {
            if (requirement.Type == PolicyRequirement.Reject)
            {
                throw new ContainerException($"{path} rejects {image}");
            }

            if (requirement is UnverifiableRequirement { Type: var type, Demand: var demand })
            {
                throw new ContainerException($"{path} requires a signature ({type}) for {image} that cannot be verified here: {demand}; refusing");
            }
        }

        return new ImageTrust(path, image, [.. requirements.OfType<SignatureRequirement>()]);
    }

    /// <summary>Passes if the image is signed as all requirements of the policy want it.</summary>
    /// <param name="fetched">An image that was chosen from an index is as good as the index: if that one is signed, all that it names is.</param>
    /// <returns>Who signed it, for people; null where nobody had to.</returns>
    /// <exception cref="ContainerException">It is not.</exception>
    internal string? Verify(IImageSource source, FetchedManifest fetched, CancellationToken cancellationToken)
    {
        if (!NeedsSignatures)
        {
            return null;
        }

        var manifest = Digest.Compute(fetched.Bytes.Span);
        if (fetched.IndexDigest is not { } index)
        {
            return Verify(source, manifest, isInstance: false, cancellationToken);
        }

        try
        {
            return Verify(source, index, isInstance: false, cancellationToken);
        }
        catch (ContainerException ofIndex)
        {
            try
            {
                return Verify(source, manifest, isInstance: true, cancellationToken);
            }
            catch (ContainerException ofImage)
            {
                throw new ContainerException($"{ErrorChain.Of(ofImage)}; its index is not signed so either", ofIndex.InnerException ?? ofIndex);
            }
        }
    }

    private static IReadOnlyList<PolicyRequirement> RequirementsFor(string path, TrustPolicy policy, ImageReference image)
    {
        try
        {
            return policy.RequirementsFor(image);
        }
        catch (ContainerException e)
        {
            throw new ContainerException($"Looking for {image} in {path}", e);
        }
    }

    private string Verify(IImageSource source, Digest manifest, bool isInstance, CancellationToken cancellationToken)
    {
        ImageSignatures signatures;
        try
        {
            signatures = source is ISignedImageSource signed
                ? signed.FetchSignatures(manifest, isInstance, cancellationToken)
                : new ImageSignatures([], $"there are none in {ImageReference.Prefix(image.Transport)}");
        }
        catch (RegistryException e)
        {
            throw new ContainerException($"{path} wants {image} signed ({demands[0]}), and its signatures cannot be read", e);
        }

        return $"Image {manifest} is signed as {path} wants it:\n" + string.Join('\n', demands.Select(demand => Meet(demand, signatures, manifest)).Distinct());
    }

    /// <summary>One good signature is enough for a requirement.</summary>
    private string Meet(SignatureRequirement demand, ImageSignatures signatures, Digest manifest)
    {
        var name = image.Transport == Transport.Registry ? RegistryName.Parse(image.Name) : null;
        var candidates = signatures.Found.Where(demand.Concerns).ToList();
        var reasons = new List<string>();
        foreach (var signature in candidates)
        {
            try
            {
                return demand.Verify(signature, manifest, name);
            }
            catch (ContainerException e)
            {
                reasons.Add(ErrorChain.Of(e));
            }
        }

        var others = signatures.Found.Count - candidates.Count;
        var places = demand is SigstoreRequirement ? signatures.Places + signatures.Attachments : signatures.Places;
        var why = candidates.Count switch
        {
            0 when others == 0 => $"there is no signature ({places})",
            0 => $"there is no signature of this kind, only {others} of others ({places})",
            1 => reasons[0],
            var count => $"none of {count} signatures will do: {string.Join("; ", reasons.Distinct().Take(ReasonLimit))}",
        };
        throw new ContainerException($"{path} wants {image} signed ({demand}): {why}");
    }
}
