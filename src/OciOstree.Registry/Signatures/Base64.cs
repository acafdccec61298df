namespace OciOstree.Registry;

/// <summary>Base64 as Go's standard decoder takes it: newlines are passed over, any other surprise is none.</summary>
public static class Base64
{
    public static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = [];
        if (text.AsSpan().ContainsAny(' ', '\t'))
        {
            return false;
        }

        var buffer = new byte[text.Length / 4 * 3 + 3];
        if (!Convert.TryFromBase64String(text, buffer, out var length))
        {
            return false;
        }

        bytes = buffer[..length];
        return true;
    }
}
