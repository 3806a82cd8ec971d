package android.util;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;

public class AtomicFile {
    public AtomicFile(File file) {}
    public byte[] readFully() throws IOException { throw new IOException(); }
    public FileOutputStream startWrite() throws IOException { throw new IOException(); }
    public void finishWrite(FileOutputStream stream) {}
    public void failWrite(FileOutputStream stream) {}
    public void delete() {}
}
