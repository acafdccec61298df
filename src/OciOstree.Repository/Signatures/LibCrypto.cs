using System.Reflection;
using System.Runtime.InteropServices;

namespace OciOstree.Repository;

/// <summary>
/// What signatures need of OpenSSL's libcrypto and .NET does not offer: Ed25519, and keys of any kind whose digest goes without saying.
/// The library is the one that the runtime's own cryptography loads.
/// </summary>
internal static unsafe partial class LibCrypto
{
    // obj_mac.h: NID_ED25519, which EVP_PKEY_ED25519 is
    private const int Ed25519 = 1087;

    private const string Library = "libcrypto";

    static LibCrypto() => NativeLibrary.SetDllImportResolver(typeof(LibCrypto).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library && (NativeLibrary.TryLoad("libcrypto.so.3", out nint handle) || NativeLibrary.TryLoad("libcrypto.so.1.1", out handle)) ? handle : 0;

    /// <summary>A key from its 32 bytes, null if OpenSSL takes them for none.</summary>
    public static Key? Ed25519Secret(ReadOnlySpan<byte> seed)
    {
        fixed (byte* bytes = seed)
            return Key.Of(NewRawPrivateKey(Ed25519, 0, bytes, (nuint)seed.Length));
    }

    /// <inheritdoc cref="Ed25519Secret"/>
    public static Key? Ed25519Public(ReadOnlySpan<byte> key)
    {
        fixed (byte* bytes = key)
            return Key.Of(NewRawPublicKey(Ed25519, 0, bytes, (nuint)key.Length));
    }

    /// <summary>A key from its PKCS #8 or traditional DER form, null if it is none.</summary>
    public static Key? SecretFromDer(ReadOnlySpan<byte> der)
    {
        fixed (byte* bytes = der)
        {
            byte* at = bytes;
            return der.IsEmpty ? null : Key.Of(ReadPrivateKey(0, &at, new CLong(der.Length)));
        }
    }

    /// <summary>A key from its SubjectPublicKeyInfo, null if it is none.</summary>
    public static Key? PublicFromDer(ReadOnlySpan<byte> der)
    {
        fixed (byte* bytes = der)
        {
            byte* at = bytes;
            return der.IsEmpty ? null : Key.Of(ReadPublicKey(0, &at, new CLong(der.Length)));
        }
    }

    /// <summary>Signs with the digest that the key implies; null where the key cannot sign.</summary>
    public static byte[]? Sign(Key key, ReadOnlySpan<byte> data)
    {
        using var context = new DigestContext();
        if (SignInit(context, 0, 0, 0, key) != 1)
            return Forget<byte[]>();
        // An empty span pins to null, which OpenSSL would take for "how long would it be?" in some versions.
        byte none = 0;
        fixed (byte* pinned = data)
        {
            byte* bytes = data.IsEmpty ? &none : pinned;
            nuint length = 0;
            if (Sign(context, null, &length, bytes, (nuint)data.Length) != 1 || length > 1 << 20)
                return Forget<byte[]>();
            var signature = new byte[length];
            fixed (byte* target = signature)
                if (Sign(context, target, &length, bytes, (nuint)data.Length) != 1)
                    return Forget<byte[]>();
            // What was asked for first is the most that it may be: ECDSA's are shorter now and then.
            return signature.AsSpan(0, (int)length).ToArray();
        }
    }

    public static bool Verify(Key key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using var context = new DigestContext();
        if (VerifyInit(context, 0, 0, 0, key) != 1)
            return Forget<string>() is not null;
        byte none = 0;
        fixed (byte* pinned = data, signed = signature)
        {
            // Only 1 is good: a signature that is not even well-formed makes it negative.
            bool good = Verify(context, signed is null ? &none : signed, (nuint)signature.Length, pinned is null ? &none : pinned, (nuint)data.Length) == 1;
            if (!good)
                ClearErrors();
            return good;
        }
    }

    // OpenSSL's queue of errors is the thread's, and .NET's own cryptography reads it, too.
    private static T? Forget<T>() where T : class
    {
        ClearErrors();
        return null;
    }

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_new_raw_private_key")]
    private static partial nint NewRawPrivateKey(int type, nint engine, byte* key, nuint length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_new_raw_public_key")]
    private static partial nint NewRawPublicKey(int type, nint engine, byte* key, nuint length);

    [LibraryImport(Library, EntryPoint = "d2i_AutoPrivateKey")]
    private static partial nint ReadPrivateKey(nint into, byte** at, CLong length);

    [LibraryImport(Library, EntryPoint = "d2i_PUBKEY")]
    private static partial nint ReadPublicKey(nint into, byte** at, CLong length);

    [LibraryImport(Library, EntryPoint = "EVP_PKEY_free")]
    private static partial void FreeKey(nint key);

    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_new")]
    private static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "EVP_MD_CTX_free")]
    private static partial void FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "EVP_DigestSignInit")]
    private static partial int SignInit(DigestContext context, nint keyContext, nint digest, nint engine, Key key);

    [LibraryImport(Library, EntryPoint = "EVP_DigestSign")]
    private static partial int Sign(DigestContext context, byte* signature, nuint* length, byte* data, nuint dataLength);

    [LibraryImport(Library, EntryPoint = "EVP_DigestVerifyInit")]
    private static partial int VerifyInit(DigestContext context, nint keyContext, nint digest, nint engine, Key key);

    [LibraryImport(Library, EntryPoint = "EVP_DigestVerify")]
    private static partial int Verify(DigestContext context, byte* signature, nuint length, byte* data, nuint dataLength);

    [LibraryImport(Library, EntryPoint = "ERR_clear_error")]
    private static partial void ClearErrors();

    /// <summary>An <c>EVP_PKEY</c>.</summary>
    internal sealed class Key : SafeHandle
    {
        private Key(nint key) : base(0, ownsHandle: true) => SetHandle(key);

        public static Key? Of(nint key) => key == 0 ? Forget<Key>() : new Key(key);

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeKey(handle);
            return true;
        }
    }

    private sealed class DigestContext : SafeHandle
    {
        public DigestContext() : base(0, ownsHandle: true)
        {
            SetHandle(NewContext());
            if (IsInvalid)
                throw new OutOfMemoryException();
        }

        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeContext(handle);
            return true;
        }
    }
}
