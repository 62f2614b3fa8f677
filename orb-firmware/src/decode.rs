//! From the bytes of an image file to a frame.
//!
//! The size is read and checked before any pixel is decoded, so that a small file cannot claim much memory.
//! Colours become luminance. The file's bytes and the decoded pixels lie in wiped buffers; what the decoder keeps for
//! itself while it runs is out of reach.
//!
//! Knows nothing about cameras and manifests. No error names the file: names of eye images lead to people.

use std::io::{Cursor, Read};
use std::path::Path;

use image::{ColorType, ImageDecoder, ImageReader};
use zeroize::Zeroizing;

use crate::frame::{Frame, FrameError};

/// Largest file that is read: an uncompressed colour image of the largest frame, with its headers.
pub const MAX_FILE_BYTES: u64 = 3 * (Frame::MAX_SIDE as u64).pow(2) + 4096;

/// Why a file gives no frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file could not be read. Check that it is there and readable.
    #[error("cannot be read: {0}")]
    Unreadable(std::io::ErrorKind),
    /// The file is larger than any image that could become a frame.
    #[error("file is larger than {MAX_FILE_BYTES} bytes")]
    FileTooLarge,
    /// The bytes are no image, a damaged one, or one of a format that is not read here.
    #[error("not a readable BMP, JPEG, PNG or PNM image")]
    NotAnImage,
    /// An image of pixels other than 8-bit grey or colour.
    #[error("pixels are {0:?}, needs 8-bit grey or colour")]
    UnsupportedPixels(ColorType),
    /// An image of a size that no frame has.
    #[error(transparent)]
    Size(#[from] FrameError),
}

/// Reads an image file.
///
/// # Errors
///
/// A [`DecodeError`]; none names the file.
pub fn read(path: &Path) -> Result<Frame, DecodeError> {
    let unreadable = |error: std::io::Error| DecodeError::Unreadable(error.kind());
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(length as usize + 1)); // does not grow for a file at rest
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(DecodeError::FileTooLarge);
    }
    decode(&bytes)
}

/// Decodes the bytes of an image file.
///
/// # Errors
///
/// A [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<Frame, DecodeError> {
    let not_an_image = |_| DecodeError::NotAnImage;
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let decoder = reader.map_err(|_| DecodeError::NotAnImage)?.into_decoder().map_err(not_an_image)?;
    let (width, height) = decoder.dimensions();
    Frame::check_size(width, height)?;
    let colour = decoder.color_type();
    let channels = match colour {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => {
            colour.channel_count() as usize
        }
        other => return Err(DecodeError::UnsupportedPixels(other)),
    };
    let mut pixels = Zeroizing::new(vec![0; decoder.total_bytes() as usize]);
    decoder.read_image(&mut pixels).map_err(not_an_image)?;
    if channels > 1 {
        pixels = Zeroizing::new(pixels.chunks_exact(channels).map(luminance).collect());
    }
    Ok(Frame::new(width, height, pixels)?)
}

/// Luminance of a grey-alpha, RGB or RGBA pixel, by the weights of ITU-R BT.601 in 256ths. Grey stays as it is.
fn luminance(pixel: &[u8]) -> u8 {
    match *pixel {
        [red, green, blue, ..] => {
            ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue) + 128) >> 8) as u8
        }
        _ => pixel[0],
    }
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, ImageFormat, RgbImage};

    use super::*;

    fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn grey_and_colour_give_the_same_frame() {
        let grey = GrayImage::from_fn(160, 120, |x, y| image::Luma([(x + y) as u8]));
        let colour = RgbImage::from_fn(160, 120, |x, y| image::Rgb([(x + y) as u8; 3]));
        let expected = grey.as_raw().clone();
        for bytes in [file(grey, ImageFormat::Png), file(colour, ImageFormat::Bmp)] {
            assert_eq!(decode(&bytes).unwrap().pixels(), expected);
        }
    }

    #[test]
    fn tiny_and_huge_images_are_refused_by_their_size() {
        let tiny = decode(&file(GrayImage::new(119, 300), ImageFormat::Png)).unwrap_err();
        assert_eq!(tiny.to_string(), "image is 119×300, needs at least 120×120");
        let huge = decode(&file(GrayImage::new(4097, 120), ImageFormat::Png)).unwrap_err();
        assert_eq!(huge.to_string(), "image is 4097×120, allowed are 4096×4096");
    }

    #[test]
    fn a_file_that_claims_more_than_it_has_is_refused() {
        let mut bomb = b"P5\n4000000000 4000000000\n255\n".to_vec();
        bomb.resize(200, 0);
        assert!(matches!(decode(&bomb), Err(DecodeError::Size(_) | DecodeError::NotAnImage)));
        let mut cut = file(GrayImage::new(200, 200), ImageFormat::Bmp);
        cut.truncate(5000);
        assert!(matches!(decode(&cut), Err(DecodeError::NotAnImage)));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        for bytes in [&b""[..], b"name,age\nada,36\n", &[0xFF; 4096]] {
            assert!(matches!(decode(bytes), Err(DecodeError::NotAnImage)));
        }
        let deep = image::ImageBuffer::<image::Luma<u16>, _>::new(160, 160);
        assert!(matches!(
            decode(&file(deep, ImageFormat::Png)),
            Err(DecodeError::UnsupportedPixels(ColorType::L16))
        ));
    }

    #[test]
    fn a_missing_file_is_refused_without_its_name() {
        let error = read(Path::new("/nowhere/someone.png")).unwrap_err().to_string();
        assert!(!error.contains("someone"), "{error}");
    }
}
